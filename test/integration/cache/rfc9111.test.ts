import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';
import { startInProcessWorker } from '../../support/in-process-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

/* What RFC 9111 asks of the part that handles requests; test/conformance/rfc9111 lists the statements. */

const minute = { 'cache-control': 'max-age=60' };
const stale = { 'cache-control': 'max-age=0', etag: '"v1"' };

describe('a cache', () => {
  it('answers no other path, query or host with a stored response', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, minute).end(`${request.headers.host} ${request.url}`);
    });
    for (const path of ['/a', '/A', '/a/', '/a?', '/a?b=1', '/a?b=2', '/%61']) {
      assert.equal((await site.ask(path)).text, `site.example ${path}`);
    }
    assert.equal((await site.ask('/a', { headers: { host: 'other.example' } })).text, 'other.example /a');
    assert.match((await site.ask('/a', { headers: { host: 'SITE.example' } })).cache, /hit/);
  });

  it('answers HEAD from a stored GET without a body', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.writeHead(200, minute).end('hello'));
    await site.ask('/');
    const head = await site.ask('/', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], '5');
    assert.equal(head.body.length, 0);
    assert.equal(site.requests.length, 1);
  });

  it('answers a range of a stored response with 206', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.writeHead(200, minute).end('0123456789'));
    await site.ask('/');
    const part = await site.ask('/', { headers: { range: 'bytes=-3' } });
    assert.equal(part.status, 206);
    assert.equal(part.text, '789');
    assert.equal(site.requests.length, 1);
  });

  it('obeys If-Range against the stored response', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, etag: '"v1"' }).end('0123456789');
    });
    await site.ask('/');
    const range = 'bytes=0-1';
    assert.equal((await site.ask('/', { headers: { range, 'if-range': '"v1"' } })).status, 206);
    assert.equal((await site.ask('/', { headers: { range, 'if-range': '"v2"' } })).status, 200);
    assert.equal((await site.ask('/', { headers: { range, 'if-range': 'W/"v1"' } })).status, 200);
    assert.equal(site.requests.length, 1);
  });

  it('answers the conditions of a client from the stored response', async (t) => {
    const modified = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, etag: '"v1"', 'last-modified': modified }).end('hello');
    });
    assert.equal((await site.ask('/', { headers: { 'if-none-match': '"v1"' } })).status, 304, 'also on a miss');
    assert.equal(site.requests[0]?.headers['if-none-match'], undefined);
    assert.equal((await site.ask('/', { headers: { 'if-none-match': 'W/"v1", "x"' } })).status, 304);
    assert.equal((await site.ask('/', { headers: { 'if-modified-since': modified } })).status, 304);
    assert.equal(
      (await site.ask('/', { headers: { 'if-none-match': '"v2"', 'if-modified-since': modified } })).status,
      200,
    );
    assert.equal(site.requests.length, 1);
  });

  it('passes requests with If-Match or If-Unmodified-Since on', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.writeHead(200, minute).end('hello'));
    await site.ask('/');
    assert.match((await site.ask('/', { headers: { 'if-match': '"v1"' } })).cache, /fwd=bypass/);
    assert.equal(site.requests[1]?.headers['if-match'], '"v1"');
    await site.ask('/', { headers: { 'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' } });
    assert.equal(site.requests.length, 3);
  });

  it('keeps variants apart by what Vary names', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, { ...minute, vary: 'X-Kind' }).end(String(request.headers['x-kind']));
    });
    for (const kind of ['a', 'b', 'a', 'b'])
      assert.equal((await site.ask('/', { headers: { 'x-kind': kind } })).text, kind);
    assert.equal((await site.ask('/')).text, 'undefined');
    assert.equal(site.requests.length, 3);
  });

  it('goes by the newest Vary of a key', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      const vary = request.headers['x-kind'] === 'a' ? 'X-Kind' : 'X-Kind, X-Other';
      response
        .writeHead(200, { ...minute, vary })
        .end(`${String(request.headers['x-kind'])} ${String(request.headers['x-other'])}`);
    });
    await site.ask('/', { headers: { 'x-kind': 'a' } });
    await site.ask('/', { headers: { 'x-kind': 'b', 'x-other': '1' } });
    assert.equal((await site.ask('/', { headers: { 'x-kind': 'b', 'x-other': '2' } })).text, 'b 2');
    assert.equal(site.requests.length, 3);
  });

  it('keeps one response for a key and variant, the last one', async (t) => {
    let count = 0;
    const site = await CachedSite.start(t, (_request, response) => {
      response
        .writeHead(200, { 'cache-control': count++ === 0 ? 'max-age=0' : 'max-age=60', etag: `"${count}"` })
        .end(`${count}`);
    });
    await site.ask('/');
    await site.ask('/');
    assert.equal((await site.ask('/')).text, '2');
  });

  it('takes a full response in the place of the stored one', async (t) => {
    let count = 0;
    const site = await CachedSite.start(t, (_request, response) => {
      count++;
      response.writeHead(200, { ...stale, 'x-count': count }).end(`answer ${count}`);
    });
    await site.ask('/');
    const second = await site.ask('/');
    assert.equal(second.text, 'answer 2');
    assert.equal(second.headers['x-count'], '2');
  });

  it('revalidates a stale response by its validators and in the place of those of the client', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      if (site.requests.length > 1) response.writeHead(304, stale).end();
      else response.writeHead(200, stale).end('hello');
    });
    await site.ask('/');
    const answer = await site.ask('/', { headers: { 'if-none-match': '"mine"' } });
    assert.equal(site.requests[1]?.headers['if-none-match'], '"v1"');
    assert.equal(answer.status, 200);
    assert.equal(answer.text, 'hello');
  });

  it('renews a stored response by a 304 and stores its new fields', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      if (site.requests.length > 1) response.writeHead(304, { ...minute, etag: '"v1"', 'x-new': 'yes' }).end();
      else response.writeHead(200, { ...stale, 'x-old': 'kept' }).end('hello');
    });
    await site.ask('/');
    await site.ask('/');
    const third = await site.ask('/');
    assert.match(third.cache, /hit/);
    assert.equal(third.headers['x-new'], 'yes');
    assert.equal(third.headers['x-old'], 'kept');
    assert.equal(third.headers['cache-control'], 'max-age=60');
    assert.equal(third.text, 'hello');
  });

  it('asks again without conditions when a 304 speaks of another response', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      if (site.requests.length === 2) response.writeHead(304, { etag: '"v9"' }).end();
      else response.writeHead(200, stale).end('hello');
    });
    await site.ask('/');
    assert.equal((await site.ask('/')).text, 'hello');
    assert.equal(site.requests.length, 3);
    assert.equal(site.requests[2]?.headers['if-none-match'], undefined);
  });

  it('answers 200 when what was validated is not what the client has', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      if (site.requests.length > 1) response.writeHead(304, stale).end();
      else response.writeHead(200, stale).end('hello');
    });
    await site.ask('/');
    assert.equal((await site.ask('/', { headers: { 'if-none-match': '"v0"' } })).text, 'hello');
    assert.equal((await site.ask('/', { headers: { 'if-none-match': '"v1"' } })).status, 304);
  });

  it('renews or marks stale a stored response by the answer to HEAD', async (t) => {
    let etag = '"v1"';
    const site = await CachedSite.start(t, (request, response) => {
      const control = request.method === 'HEAD' ? 'max-age=60' : 'max-age=0';
      response.writeHead(200, { 'cache-control': control, etag, 'content-length': 5 });
      response.end(request.method === 'HEAD' ? undefined : 'hello');
    });
    await site.ask('/');
    await site.ask('/', { method: 'HEAD' });
    assert.match((await site.ask('/')).cache, /hit/, 'it was renewed');
    await site.ask('/b');
    etag = '"v2"';
    await site.ask('/b', { method: 'HEAD' });
    assert.match((await site.ask('/b')).cache, /fwd=stale/, 'it is another by now');
  });

  it('answers with a stale response when the upstream fails, while it may', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      if (site.requests.length > 1) response.writeHead(502).end('down');
      else response.writeHead(200, { 'cache-control': 'max-age=0, stale-if-error=60', etag: '"v1"' }).end('hello');
    });
    await site.ask('/');
    assert.equal((await site.ask('/')).text, 'hello');
  });

  it('answers at once while it renews in the background', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      // The second one is never answered.
      if (site.requests.length === 1) {
        response.writeHead(200, { 'cache-control': 'max-age=0, stale-while-revalidate=60' }).end('hello');
      }
    });
    await site.ask('/');
    assert.equal((await site.ask('/')).text, 'hello');
    assert.equal((await site.ask('/')).text, 'hello');
  });

  it('answers 504 rather than with a stale response that must be revalidated', async (t) => {
    const origin = await ScriptedOrigin.start((socket) => {
      // Only the first one is answered.
      if (origin.requests.length > 1) return;
      socket.write(
        'HTTP/1.1 200 OK\r\nCache-Control: max-age=0, must-revalidate\r\nETag: "1"\r\nContent-Length: 2\r\n\r\nhi',
      );
    });
    t.after(() => origin.close());
    const worker = await startInProcessWorker(`caches: { default: { directory: false } }
upstreams: { app: { servers: ['127.0.0.1:${origin.port}'], waitForUpstream: 0s, timeouts: { response: 100ms } } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: { staleIfError: 1m } }] }]
`);
    t.after(() => worker.close());
    const ask = async (): Promise<number> => (await fetch(`${worker.origin}/`)).status;
    assert.equal(await ask(), 200);
    assert.equal(await ask(), 504);
  });

  it('answers 504 to only-if-cached when nothing is stored', async (t) => {
    const site = await CachedSite.start(
      t,
      (_request, response) => response.writeHead(200, minute).end('hello'),
      '{ obeyRequest: true }',
    );
    const headers = { 'cache-control': 'only-if-cached' };
    assert.equal((await site.ask('/', { headers })).status, 504);
    assert.equal(site.requests.length, 0);
    await site.ask('/');
    assert.equal((await site.ask('/', { headers })).text, 'hello');
  });

  it('passes unsafe requests on and drops what is stored for their target', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, minute).end(request.method);
    });
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPPATCH']) {
      await site.ask('/');
      assert.equal((await site.ask('/', { method })).text, method);
      assert.match((await site.ask('/')).cache, /uri-miss/, method);
    }
  });

  it('drops what Location and Content-Location name after an unsafe request', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (request.method !== 'POST') return void response.writeHead(200, minute).end('hello');
      response.writeHead(201, { location: '/new', 'content-location': 'http://other.example/c' }).end();
    });
    for (const path of ['/new', '/c']) await site.ask(path);
    await site.ask('/make', { method: 'POST', body: 'x' });
    assert.match((await site.ask('/new')).cache, /uri-miss/);
    assert.match((await site.ask('/c')).cache, /hit/, 'another origin is none of its affair');
  });

  it('passes Cache-Control on as it came, both ways', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=60, x-own="a b",  public' }).end('hello');
    });
    const first = await site.ask('/', { headers: { 'cache-control': 'no-cache, x-mine' } });
    assert.equal(site.requests[0]?.headers['cache-control'], 'no-cache, x-mine');
    assert.equal(first.headers['cache-control'], 'max-age=60, x-own="a b",  public');
    assert.equal((await site.ask('/')).headers['cache-control'], 'max-age=60, x-own="a b",  public');
  });

  it('sends Age with every response from the cache', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, age: '20', etag: '"v1"' }).end('hello');
    });
    assert.match((await site.ask('/')).headers.age ?? '', /^2[01]$/);
    assert.match((await site.ask('/')).headers.age ?? '', /^2[0-2]$/);
    assert.match((await site.ask('/', { headers: { 'if-none-match': '"v1"' } })).headers.age ?? '', /^2[0-2]$/);
    assert.match((await site.ask('/', { headers: { range: 'bytes=0-0' } })).headers.age ?? '', /^2[0-2]$/);
  });

  it('sends no Warning with a stale response', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      if (site.requests.length > 1) response.writeHead(500).end();
      else response.writeHead(200, { 'cache-control': 'max-age=0, stale-if-error=60' }).end('hello');
    });
    await site.ask('/');
    const answer = await site.ask('/');
    assert.equal(answer.text, 'hello');
    assert.equal(answer.headers.warning, undefined);
  });

  it('stores every field of a response but those of the connection', async (t) => {
    const fields = { ...minute, 'x-one': 'a', 'content-language': 'de', link: '</x>; rel=preload' };
    const site = await CachedSite.start(t, (_request, response) => {
      response
        .writeHead(200, { ...fields, connection: 'x-hop', 'x-hop': 'gone', 'keep-alive': 'timeout=5' })
        .end('hello');
    });
    await site.ask('/');
    const { headers } = await site.ask('/');
    for (const [name, value] of Object.entries(fields)) assert.equal(headers[name], value);
    assert.equal(headers['x-hop'], undefined);
    assert.equal(headers['keep-alive'], undefined);
  });

  it('does not make header fields of trailers', async (t) => {
    const origin = await ScriptedOrigin.answering(
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTrailer: X-Late\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Late: yes\r\n\r\n',
    );
    t.after(() => origin.close());
    const worker = await startInProcessWorker(`caches: { default: { directory: false } }
upstreams: { app: { servers: ['127.0.0.1:${origin.port}'] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: true }] }]
`);
    t.after(() => worker.close());
    for (let turn = 0; turn < 2; turn++) {
      const response = await fetch(`${worker.origin}/`);
      assert.equal(await response.text(), 'hi');
      assert.equal(response.headers.get('x-late'), null);
    }
    assert.equal(origin.requests.length, 1);
  });

  it('does not store a response that was cut', async (t) => {
    let cut = (): void => {};
    const site = await CachedSite.start(t, (request, response) => {
      if (site.requests.length === 1) {
        response.writeHead(200, { ...minute, 'content-length': 100 });
        response.write('half');
        cut = () => void request.socket.destroy();
      } else response.writeHead(200, minute).end('whole');
    });
    await assert.rejects(site.ask('/', { onData: () => cut() }));
    assert.equal((await site.ask('/')).text, 'whole');
  });

  it('leaves nothing of a response with no-store behind', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { 'cache-control': 'no-store, max-age=60' }).end(`${site.requests.length}`);
    });
    assert.equal((await site.ask('/')).text, '1');
    assert.equal((await site.ask('/')).text, '2');
    const client = await RawClient.connect(site.workers[0]?.port ?? 0);
    client.send('GET / HTTP/1.1\r\nHost: site.example\r\n\r\n');
    assert.equal((await client.response()).body.toString(), '3');
    client.destroy();
  });

  for (const [what, field] of Object.entries({ 'no-cache': 'no-cache', 'max-age=0': 'max-age=0' })) {
    it(`does not answer others who wait with a response that says ${what}`, async (t) => {
      const site = await CachedSite.start(t, (request, response) => {
        const who = String(request.headers['x-who']);
        const send = (): void =>
          void response.writeHead(200, { 'cache-control': field, etag: `"${who}"` }).end(`for ${who}`);
        if (site.requests.length === 1) void waitFor(() => site.inFlight() === 3, 'the others').then(send);
        else send();
      });
      const answers = ['a', 'b', 'c'].map((who) => site.ask('/', { headers: { 'x-who': who } }));
      const texts = (await Promise.all(answers)).map(({ text }) => text);
      assert.deepEqual(texts, ['for a', 'for b', 'for c']);
    });
  }

  it('passes a client’s condition on where the response is known not to be stored', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      const known = request.headers['if-none-match'] === '"own"';
      response.writeHead(known ? 304 : 200, { 'cache-control': 'private', etag: '"own"' }).end(known ? '' : 'page');
    });
    assert.equal((await site.ask('/')).text, 'page');
    assert.equal((await site.ask('/', { headers: { 'if-none-match': '"own"' } })).status, 304);
    assert.equal((await site.ask('/')).text, 'page');
  });

  it('takes a bare question mark for another resource', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=60' }).end(request.url);
    });
    assert.equal((await site.ask('/')).text, '/');
    assert.equal((await site.ask('/?')).text, '/?');
  });

  it('leaves what is stored alone when HEAD fails', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (request.method === 'HEAD') response.writeHead(500).end();
      else response.writeHead(200, { 'cache-control': 'max-age=60' }).end(`${site.requests.length}`);
    });
    assert.equal((await site.ask('/')).text, '1');
    await site.ask('/', { method: 'HEAD', headers: { authorization: 'Basic eA==' } });
    assert.equal((await site.ask('/')).text, '1');
  });
});
