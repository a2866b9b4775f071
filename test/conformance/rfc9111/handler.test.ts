import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';
import { waitFor } from '../../support/wait-for.ts';

const minute = { 'cache-control': 'max-age=60' };
/** Stored, and stale as it comes; with a tag to validate it by. */
const staleTagged = { 'cache-control': 'max-age=60', age: '100', etag: '"a"' };
const html = { 'content-type': 'text/html' };

/** Answers the first request with the one, those behind it with the other. */
function firstThen(
  first: (response: ServerResponse) => unknown,
  then: (response: ServerResponse, request: IncomingMessage) => unknown,
): (request: IncomingMessage, response: ServerResponse) => void {
  let isFirst = true;
  return (request, response) => {
    if (isFirst) first(response);
    else then(response, request);
    isFirst = false;
  };
}

describe('storing', () => {
  test('stores every field of a response but those of the connection', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      const fields = {
        ...minute,
        'x-new': ['1', '2'],
        connection: 'x-hop',
        'x-hop': '3',
        'proxy-authenticate': 'Basic',
      };
      response.writeHead(200, fields).end('hello');
    });
    await site.ask('/');
    const { headers } = await site.ask('/');
    assert.deepEqual(
      [headers['x-new'], headers['x-hop'], headers['proxy-authenticate']],
      ['1, 2', undefined, undefined],
    );
    assert.equal(site.requests.length, 1);
  });

  test('does not make header fields of trailers', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, trailer: 'x-late' });
      response.write('hel');
      response.addTrailers({ 'x-late': '1' });
      response.end('lo');
    });
    await site.ask('/');
    const { headers, text, cache } = await site.ask('/');
    assert.equal(text, 'hello');
    assert.match(cache, /hit/);
    assert.deepEqual([headers['x-late'], headers.trailer], [undefined, undefined]);
  });

  test('does not store a response that was cut', async (t) => {
    const cut = (response: ServerResponse): void => {
      response.writeHead(200, { ...minute, 'content-length': '10' });
      response.write('hello', () => response.destroy());
    };
    const site = await CachedSite.start(
      t,
      firstThen(cut, (response) => response.writeHead(200, minute).end('whole')),
    );
    await assert.rejects(site.ask('/'));
    assert.equal((await site.ask('/')).text, 'whole');
    assert.equal((await site.ask('/', { headers: { range: 'bytes=0-1' } })).text, 'wh');
    assert.equal(site.requests.length, 2);
  });

  test('leaves nothing of a response with no-store behind', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { 'cache-control': 'no-store, max-age=60', etag: '"a"' }).end('secret');
    });
    await site.ask('/');
    const second = await site.ask('/', { headers: { 'if-none-match': '"a"' } });
    assert.deepEqual([second.status, second.text], [200, 'secret']);
    assert.equal(site.requests.length, 2);
  });

  test('passes Cache-Control on as it came, both ways', async (t) => {
    const said = 'Max-Age=60,  community="UCI", no-transform';
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { 'cache-control': said }).end('hello');
    });
    const asked = 'no-cache, foo="bar"';
    assert.equal((await site.ask('/', { headers: { 'cache-control': asked } })).headers['cache-control'], said);
    assert.equal((await site.ask('/')).headers['cache-control'], said);
    assert.deepEqual(
      site.requests.map(({ headers }) => headers['cache-control']),
      [asked],
    );
  });
});

describe('transforming', () => {
  test('does not compress a response with no-transform, fresh from upstream or stored', async (t) => {
    const text = 'hello '.repeat(2000);
    const site = await CachedSite.start(
      t,
      (request, response) => {
        const said = request.url === '/fixed' ? 'max-age=60, no-transform' : 'max-age=60';
        response.writeHead(200, { ...html, 'cache-control': said }).end(text);
      },
      'true',
      { route: 'compress: true' },
    );
    const coding = async (path: string) =>
      (await site.ask(path, { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'];
    assert.deepEqual([await coding('/fixed'), await coding('/fixed')], [undefined, undefined]);
    assert.equal(await coding('/free'), 'gzip', 'so that this could fail');
  });
});

describe('answering', () => {
  test('answers no other path, query or host with a stored response', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, minute).end(`${request.headers.host} ${request.url}`);
    });
    const places: [host: string, path: string][] = [
      ['a.example', '/'],
      ['b.example', '/'],
      ['a.example', '/x'],
      ['a.example', '/X'],
      ['a.example', '/?a=1'],
      ['a.example', '/?a=2'],
    ];
    for (const round of [1, 2]) {
      for (const [host, path] of places) {
        assert.equal((await site.ask(path, { headers: { host } })).text, `${host} ${path}`, `round ${round}`);
      }
    }
    assert.equal(site.requests.length, places.length);
  });

  test('answers HEAD from a stored GET without a body', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.writeHead(200, minute).end('hello'));
    await site.ask('/');
    const { status, headers, body } = await site.ask('/', { method: 'HEAD' });
    assert.deepEqual([status, headers['content-length'], body.length], [200, '5', 0]);
    assert.equal(site.requests.length, 1);
  });

  test('keeps variants apart by what Vary names', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, { ...minute, vary: 'Cookie' }).end(`for ${request.headers.cookie}`);
    });
    for (const _round of [1, 2]) {
      for (const cookie of ['a=1', 'a=2', 'A=1']) {
        assert.equal((await site.ask('/', { headers: { cookie } })).text, `for ${cookie}`);
      }
      assert.equal((await site.ask('/')).text, 'for undefined');
    }
    assert.equal(site.requests.length, 4);
  });

  test('goes by the newest Vary of a key', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      const { 'accept-language': language, 'x-kind': kind } = request.headers;
      const vary = kind === undefined ? 'Accept-Language' : 'X-Kind';
      response.writeHead(200, { ...minute, vary }).end(`${language} ${kind}`);
    });
    await site.ask('/', { headers: { 'accept-language': 'de' } });
    assert.equal((await site.ask('/', { headers: { 'accept-language': 'en', 'x-kind': 'k' } })).text, 'en k');
    assert.equal((await site.ask('/', { headers: { 'accept-language': 'fr', 'x-kind': 'k' } })).text, 'en k');
    assert.equal((await site.ask('/', { headers: { 'accept-language': 'fr', 'x-kind': 'l' } })).text, 'fr l');
  });

  test('sends Age with every response from the cache', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, age: '7', etag: '"a"' }).end('hello');
    });
    await site.ask('/');
    const conditions = [{}, { 'if-none-match': '"a"' }, { range: 'bytes=0-1' }];
    for (const headers of conditions) {
      const { headers: fields } = await site.ask('/', { headers });
      assert.match(fields.age ?? '', /^[789]$/, JSON.stringify(headers));
    }
    assert.match((await site.ask('/', { method: 'HEAD' })).headers.age ?? '', /^[789]$/);
    assert.equal(site.requests.length, 1);
  });

  test('answers a range of a stored response with 206', async (t) => {
    const site = await CachedSite.start(t, (_request, response) =>
      response.writeHead(200, { ...minute, ...html }).end('0123456789'),
    );
    await site.ask('/');
    const { status, headers, text } = await site.ask('/', { headers: { range: 'bytes=-3' } });
    assert.deepEqual([status, headers['content-range'], text], [206, 'bytes 7-9/10', '789']);
  });

  test('obeys If-Range against the stored response', async (t) => {
    const site = await CachedSite.start(t, (_request, response) =>
      response.writeHead(200, { ...minute, etag: '"a"' }).end('hello'),
    );
    await site.ask('/');
    const ranged = async (tag: string) =>
      (await site.ask('/', { headers: { range: 'bytes=0-0', 'if-range': tag } })).status;
    assert.deepEqual([await ranged('"a"'), await ranged('W/"a"'), await ranged('"b"')], [206, 200, 200]);
  });

  test('answers 504 to only-if-cached when nothing is stored', async (t) => {
    const site = await CachedSite.start(
      t,
      (_request, response) => response.writeHead(200, minute).end('hello'),
      '{ obeyRequest: true }',
    );
    const headers = { 'cache-control': 'only-if-cached' };
    assert.equal((await site.ask('/', { headers })).status, 504);
    assert.equal(site.requests.length, 0);
    await site.ask('/');
    assert.equal((await site.ask('/', { headers })).status, 200);
  });

  test('keeps one response for a key and variant, the last one', async (t) => {
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => response.writeHead(200, staleTagged).end('old'),
        (response) => response.writeHead(200, { ...minute, etag: '"b"' }).end('new'),
      ),
    );
    const texts = [await site.ask('/'), await site.ask('/'), await site.ask('/')].map(({ text }) => text);
    assert.deepEqual(texts, ['old', 'new', 'new']);
    assert.equal(site.requests.length, 2);
  });
});

describe('validating', () => {
  test('revalidates a stale response by its validators and in the place of those of the client', async (t) => {
    const modified = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => response.writeHead(200, { ...staleTagged, 'last-modified': modified }).end('hello'),
        (response) => response.writeHead(304, { etag: '"a"' }).end(),
      ),
    );
    await site.ask('/');
    const answer = await site.ask('/', {
      headers: { 'if-modified-since': 'Mon, 07 Nov 1994 08:49:37 GMT' },
    });
    assert.equal(answer.status, 304);
    const { headers } = site.requests[1] as IncomingMessage;
    assert.deepEqual([headers['if-none-match'], headers['if-modified-since']], ['"a"', modified]);
  });

  test('answers the conditions of a client from the stored response', async (t) => {
    const site = await CachedSite.start(t, (_request, response) =>
      response.writeHead(200, { ...minute, etag: '"a"' }).end('hello'),
    );
    await site.ask('/');
    const asked = async (tags: string) => (await site.ask('/', { headers: { 'if-none-match': tags } })).status;
    assert.deepEqual(
      [await asked('"a"'), await asked('"x", W/"a"'), await asked('*'), await asked('"x"')],
      [304, 304, 304, 200],
    );
    assert.equal(site.requests.length, 1);
  });

  test('passes requests with If-Match or If-Unmodified-Since on', async (t) => {
    const site = await CachedSite.start(t, (_request, response) =>
      response.writeHead(200, { ...minute, etag: '"a"' }).end('hello'),
    );
    await site.ask('/');
    await site.ask('/', { headers: { 'if-match': '"x"' } });
    await site.ask('/', { headers: { 'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' } });
    assert.deepEqual(
      site.requests.map(({ headers }) => headers['if-match']),
      [undefined, '"x"', undefined],
    );
    assert.equal(site.requests.length, 3);
  });

  test('answers 200 when what was validated is not what the client has', async (t) => {
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => response.writeHead(200, staleTagged).end('hello'),
        (response) => response.writeHead(304, { etag: '"a"' }).end(),
      ),
    );
    await site.ask('/');
    const { status, text } = await site.ask('/', { headers: { 'if-none-match': '"b"' } });
    assert.deepEqual([status, text], [200, 'hello']);
    assert.equal((await site.ask('/', { headers: { 'if-none-match': '"a"' } })).status, 304);
  });

  test('takes a full response in the place of the stored one', async (t) => {
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => response.writeHead(200, staleTagged).end('old'),
        (response) => response.writeHead(200, { etag: '"b"', 'cache-control': 'no-store' }).end('new'),
      ),
    );
    await site.ask('/');
    assert.equal((await site.ask('/')).text, 'new');
    await site.ask('/');
    assert.equal(site.requests[2]?.headers['if-none-match'], undefined, 'the old one is gone');
  });

  test('asks again without conditions when a 304 speaks of another response', async (t) => {
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => response.writeHead(200, staleTagged).end('old'),
        (response, { headers }) => {
          if (headers['if-none-match'] !== undefined) response.writeHead(304, { etag: '"other"' }).end();
          else response.writeHead(200, minute).end('new');
        },
      ),
    );
    await site.ask('/');
    assert.equal((await site.ask('/')).text, 'new');
    assert.equal(site.requests.length, 3);
  });

  test('renews a stored response by a 304 and stores its new fields', async (t) => {
    const renewal = { etag: '"a"', 'cache-control': 'max-age=90', 'x-a': '2', 'x-b': '3' };
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => response.writeHead(200, { ...staleTagged, ...html, 'x-a': '1' }).end('hello'),
        (response) => response.writeHead(304, renewal).end(),
      ),
    );
    await site.ask('/');
    for (const _round of [1, 2]) {
      const { status, text, headers } = await site.ask('/');
      assert.deepEqual([status, text], [200, 'hello']);
      assert.deepEqual([headers['x-a'], headers['x-b'], headers['cache-control']], ['2', '3', 'max-age=90']);
      assert.deepEqual([headers['content-type'], headers['content-length']], ['text/html', '5']);
    }
    assert.equal(site.requests.length, 2);
  });
});

describe('while the upstream fails, or meanwhile', () => {
  test('answers an error rather than a stale response that must be revalidated', async (t) => {
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => {
          const said = 'max-age=60, must-revalidate, stale-if-error=900';
          response.writeHead(200, { ...staleTagged, 'cache-control': said }).end('old');
        },
        (response) => response.destroy(),
      ),
    );
    await site.ask('/');
    assert.ok([502, 504].includes((await site.ask('/')).status));
  });

  test('answers with a stale response when the upstream fails, while it may, without a Warning', async (t) => {
    const fails = [
      (response: ServerResponse) => response.writeHead(503).end('busy'),
      (response: ServerResponse) => response.destroy(),
    ];
    for (const fail of fails) {
      const said = 'max-age=60, stale-if-error=900';
      const stale = (response: ServerResponse) => {
        response.writeHead(200, { ...staleTagged, 'cache-control': said }).end('old');
      };
      const site = await CachedSite.start(t, firstThen(stale, fail));
      await site.ask('/');
      const { status, text, headers } = await site.ask('/');
      assert.deepEqual([status, text, headers['warning']], [200, 'old', undefined]);
      assert.match(headers.age ?? '', /^10\d$/);
    }
  });

  test('answers at once while it renews in the background', async (t) => {
    const said = 'max-age=60, stale-while-revalidate=900';
    let finish: (() => void) | undefined;
    const site = await CachedSite.start(
      t,
      firstThen(
        (response) => response.writeHead(200, { ...staleTagged, 'cache-control': said }).end('old'),
        (response) => {
          finish = () => response.writeHead(200, minute).end('new');
        },
      ),
    );
    await site.ask('/');
    for (const _round of [1, 2, 3]) assert.equal((await site.ask('/')).text, 'old');
    await waitFor(() => finish !== undefined, 'the renewal');
    finish?.();
    await waitFor(async () => (await site.ask('/')).text === 'new', 'the new response');
    assert.equal(site.requests.length, 2);
  });
});

describe('changing', () => {
  test('passes unsafe requests on and drops what is stored for their target', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (request.method === 'GET') response.writeHead(200, minute).end(`${site.requests.length}`);
      else response.writeHead(request.url === '/fails' ? 500 : 204, minute).end();
    });
    for (const path of ['/done', '/fails']) await site.ask(path);
    for (const path of ['/done', '/fails']) await site.ask(path, { method: 'POST', body: 'x' });
    await waitFor(async () => (await site.ask('/done')).text === '5', 'the target to be fetched anew');
    assert.equal((await site.ask('/fails')).text, '2');
    await site.ask('/done', { method: 'NOTIFY' });
    await waitFor(async () => Number((await site.ask('/done')).text) > 5, 'the target to be fetched once more');
  });

  test('drops what Location and Content-Location name after an unsafe request', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (request.method === 'GET') return void response.writeHead(200, minute).end(`${site.requests.length}`);
      const fields = { location: '/made?x=1', 'content-location': 'http://other.example/kept' };
      response.writeHead(201, fields).end();
    });
    await site.ask('/made?x=1');
    await site.ask('/kept');
    await site.ask('/', { method: 'POST', body: 'x' });
    await waitFor(async () => (await site.ask('/made?x=1')).text === '4', 'what was named to be fetched anew');
    assert.equal((await site.ask('/kept')).text, '2');
  });
});
