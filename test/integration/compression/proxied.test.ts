import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { hasNativeZstd } from '../../../src/compression/coding.ts';
import { decodedGet } from '../../support/decoded-get.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { pageText } from '../../support/page-text.ts';

const small = pageText(500);
const page = pageText(20_000);
const large = pageText(900_000);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const html = { 'Content-Type': 'text/html; charset=utf-8' } as const;

/** What the application does, by path. */
const answers: Readonly<Record<string, Answer>> = {
  '/page': (_, response) => response.writeHead(200, { ...html, 'Content-Length': page.length }).end(page),
  '/large': (_, response) => response.writeHead(200, { ...html, 'Content-Length': large.length }).end(large),
  '/chunked': (_, response) => {
    response.writeHead(200, html);
    for (let at = 0; at < large.length; at += 10_000) response.write(large.slice(at, at + 10_000));
    response.end();
  },
  '/short': (_, response) => response.writeHead(200, { ...html, 'Content-Length': 5000 }).end(page.slice(0, 5000)),
  '/small': (_, response) => response.writeHead(200, { ...html, 'Content-Length': small.length }).end(small),
  '/image': (_, response) => response.writeHead(200, { 'Content-Type': 'image/png' }).end(page),
  '/untyped': (_, response) => response.writeHead(200).end(page),
  '/events': (_, response) => response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(page),
  '/coded': (_, response) => response.writeHead(200, { ...html, 'Content-Encoding': 'deflate' }).end(page),
  '/part': (_, response) =>
    response.writeHead(206, { ...html, 'Content-Range': `bytes 0-19999/40000`, 'Content-Length': 20_000 }).end(page),
  '/fixed': (_, response) => response.writeHead(200, { ...html, 'Cache-Control': 'private, no-transform' }).end(page),
  '/cookie': (_, response) => response.writeHead(200, { ...html, 'Set-Cookie': 'a=b' }).end(page),
  '/digest': (_, response) =>
    response
      .writeHead(200, { ...html, 'Accept-Ranges': 'bytes', 'Content-Digest': 'sha-256=:x:', 'Content-MD5': 'x' })
      .end(page),
  '/vary': (_, response) => response.writeHead(200, { ...html, Vary: 'Cookie' }).end(page),
  '/vary-all': (_, response) => response.writeHead(200, { ...html, Vary: '*' }).end(page),
  '/empty': (_, response) => response.writeHead(204).end(),
  '/missing': (_, response) => response.writeHead(404, { ...html, 'Content-Length': page.length }).end(page),
  '/tagged': (request, response) => answerTagged(request, response, '"v1"'),
  '/weak': (request, response) => answerTagged(request, response, 'W/"v1"'),
  '/echo': (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const seen = { coding: request.headers['content-encoding'], length: Buffer.concat(chunks).length };
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(seen));
    });
  },
  '/ranges': (request, response) => {
    if (request.headers.range === undefined) return answers['/page']?.(request, response);
    response.writeHead(206, { ...html, 'Content-Range': `bytes 0-99/${page.length}` }).end(page.slice(0, 100));
  },
  '/broken': (_, response) => {
    response.writeHead(200, { ...html, 'Content-Length': large.length });
    response.write(large.slice(0, 500_000), () => response.destroy());
  },
};

function answerTagged(request: IncomingMessage, response: ServerResponse, etag: string): void {
  const tags = (request.headers['if-none-match'] ?? '').split(', ');
  const required = request.headers['if-match']?.split(', ');
  if (required !== undefined && !required.includes(etag)) return void response.writeHead(412).end();
  if (tags.includes(etag)) return void response.writeHead(304, { ETag: etag }).end();
  response.writeHead(200, { ...html, ETag: etag, 'Content-Length': page.length }).end(page);
}

describe('a proxied route with compress', () => {
  let origin: Server;
  let worker: InProcessWorker;
  const gzip = { 'accept-encoding': 'gzip' };

  before(async () => {
    origin = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://origin');
      (answers[pathname] ?? answers['/page'])?.(request, response);
    });
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    const { port } = origin.address() as AddressInfo;
    const upstream = `upstreams: { app: { servers: ["127.0.0.1:${port}"] } }\n`;
    worker = await startInProcessWorker(`${upstream}sites:
  - routes:
      - { path: /, proxy: { upstream: app }, compress: true }
      - { path: /off/, proxy: { upstream: app, stripPrefix: true } }
      - { path: /guarded/, proxy: { upstream: app, stripPrefix: true }, compress: { cookies: off } }
      - { path: /ordered/, proxy: { upstream: app, stripPrefix: true }, compress: { codings: [gzip, br] } }
      - { path: /slow/, proxy: { upstream: app, stripPrefix: true }, compress: true, limitRate: 100KB }
`);
  });

  after(async () => {
    await worker.close();
    await new Promise((resolve) => origin.close(resolve));
  });

  const get = (path: string, headers: Readonly<Record<string, string>> = gzip, method = 'GET') =>
    decodedGet(worker.port, { path, headers, method });

  for (const path of ['/page', '/large', '/chunked']) {
    for (const coding of ['gzip', 'br', ...(hasNativeZstd ? ['zstd'] : [])]) {
      test(`sends ${path} in ${coding}, byte for byte`, async () => {
        const answer = await get(path, { 'accept-encoding': coding });
        assert.equal(answer.headers['content-encoding'], coding);
        assert.equal(answer.headers['vary'], 'Accept-Encoding');
        assert.ok(answer.raw.length < answer.body.length / 2);
        assert.equal(answer.body.toString(), path === '/page' ? page : large);
        if (path === '/page') assert.equal(answer.headers['content-length'], String(answer.raw.length));
        else assert.equal(answer.headers['content-length'], undefined);
      });
    }
  }

  const negotiations: readonly (readonly [field: string, coding: string | undefined])[] = [
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.0001', undefined],
    ['gzip;q=2', undefined],
    ['gzip;q=0.5, br;q=0.6', 'br'],
    ['gzip, br', 'br'],
    ['identity;q=0, gzip;q=0.001', 'gzip'],
    ['identity, gzip;q=0.5', undefined],
    ['deflate, compress', undefined],
    ['*;q=0, gzip', 'gzip'],
    ['*;q=0', undefined],
    ['', undefined],
    [',,;q=1,=,;;', undefined],
    ['gzip;q=0, *', hasNativeZstd ? 'zstd' : 'br'],
    [`${'a,'.repeat(63)}gzip`, 'gzip'],
    [`${'a,'.repeat(1000)}gzip`, undefined],
  ];
  for (const [field, coding] of negotiations) {
    test(`answers Accept-Encoding ${JSON.stringify(field.slice(0, 40))} with ${coding ?? 'the body as it is'}`, async () => {
      const answer = await get('/page', { 'accept-encoding': field });
      assert.equal(answer.headers['content-encoding'], coding);
      assert.equal(answer.headers['vary'], 'Accept-Encoding');
      assert.equal(answer.body.toString(), page);
    });
  }

  test('compresses nothing for a client that says nothing', async () => {
    const answer = await get('/page', {});
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.equal(answer.headers['vary'], 'Accept-Encoding');
  });

  for (const path of ['/small', '/image', '/untyped', '/events', '/fixed', '/off/page']) {
    test(`leaves ${path} as it is, and says nothing of it`, async () => {
      const answer = await get(path);
      assert.equal(answer.headers['content-encoding'], undefined);
      assert.equal(answer.headers['vary'], undefined);
    });
  }

  test('leaves what is compressed already as it is', async () => {
    const { headers, raw } = await get('/coded');
    assert.equal(headers['content-encoding'], 'deflate');
    assert.equal(headers['vary'], undefined);
    assert.equal(raw.toString(), page);
  });

  test('leaves a part, and says that it depends on Accept-Encoding', async () => {
    const answer = await get('/part');
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.equal(answer.headers['vary'], 'Accept-Encoding');
  });

  test('answers a request for a range from the body as it is, and one for all of it compressed', async () => {
    const part = await get('/ranges', { ...gzip, range: 'bytes=0-99' });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-encoding'], undefined);
    const whole = await get('/page', { ...gzip, range: 'bytes=0-99' });
    assert.equal(whole.status, 200);
    assert.equal(whole.headers['content-encoding'], undefined);
    assert.equal((await get('/ranges')).headers['content-encoding'], 'gzip');
  });

  test('compresses error pages of the application', async () => {
    const answer = await get('/missing');
    assert.equal(answer.status, 404);
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(answer.body.toString(), page);
  });

  test('takes away what is not true of the compressed bytes', async () => {
    const { headers } = await get('/digest');
    assert.deepEqual(
      ['accept-ranges', 'content-digest', 'content-md5'].map((name) => headers[name]),
      [undefined, undefined, undefined],
    );
    assert.equal((await get('/digest', {})).headers['content-digest'], 'sha-256=:x:');
  });

  test('adds to the Vary there is', async () => {
    assert.equal((await get('/vary')).headers['vary'], 'Cookie, Accept-Encoding');
    assert.equal((await get('/vary-all')).headers['vary'], '*');
  });

  test('answers 204 without anything', async () => {
    const answer = await get('/empty');
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['content-encoding'], undefined);
  });

  for (const path of ['/page', '/large', '/small', '/image', '/tagged', '/chunked']) {
    test(`answers HEAD for ${path} with the fields of GET`, async () => {
      const [got, head] = [await get(path), await get(path, gzip, 'HEAD')];
      assert.equal(head.raw.length, 0);
      for (const name of ['content-encoding', 'vary', 'etag', 'content-type', 'accept-ranges']) {
        assert.equal(head.headers[name], got.headers[name], name);
      }
      if (head.headers['content-length'] !== undefined) {
        assert.equal(head.headers['content-length'], got.headers['content-length']);
      }
    });
  }

  test('names the compressed form in a strong entity tag, and answers 304 to it', async () => {
    const first = await get('/tagged');
    assert.equal(first.headers['etag'], '"v1-gzip"');
    const again = await get('/tagged', { ...gzip, 'if-none-match': '"v1-gzip"' });
    assert.equal(again.status, 304);
    assert.equal(again.headers['etag'], '"v1-gzip"');
    assert.equal(again.headers['vary'], 'Accept-Encoding');
    assert.equal(again.headers['content-encoding'], undefined);
  });

  test('answers 304 under the entity tag that the client has', async () => {
    const identity = await get('/tagged', { ...gzip, 'if-none-match': '"x", "v1"' });
    assert.equal(identity.status, 304);
    assert.equal(identity.headers['etag'], '"v1"');
    const brotli = await get('/tagged', { 'accept-encoding': 'br, gzip', 'if-none-match': '"v1-gzip"' });
    assert.equal(brotli.status, 304);
    assert.equal(brotli.headers['etag'], '"v1-gzip"');
  });

  test('sends a new form to a client that cannot use the one it names', async () => {
    const answer = await get('/tagged', { ...gzip, 'if-none-match': '"v1-br"' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['etag'], '"v1-gzip"');
    assert.equal((await get('/tagged', { ...gzip, 'if-none-match': '"v0-gzip"' })).status, 200);
  });

  test('leaves weak entity tags', async () => {
    const first = await get('/weak');
    assert.equal(first.headers['content-encoding'], 'gzip');
    assert.equal(first.headers['etag'], 'W/"v1"');
    assert.equal((await get('/weak', { ...gzip, 'if-none-match': 'W/"v1"' })).status, 304);
  });

  test('lets If-Match through with the tag of a compressed form', async () => {
    assert.equal((await get('/tagged', { ...gzip, 'if-match': '"v1-br"' }, 'PUT')).status, 200);
    assert.equal((await get('/tagged', { ...gzip, 'if-match': '"v0-br"' }, 'PUT')).status, 412);
  });

  test('passes a compressed request body on untouched', async () => {
    const answer = await decodedGet(worker.port, {
      method: 'POST',
      path: '/echo',
      headers: { 'content-encoding': 'gzip', 'content-length': '5' },
      body: 'xxxxx',
    });
    assert.deepEqual(JSON.parse(answer.body.toString()), { coding: 'gzip', length: 5 });
  });

  test('with cookies off compresses neither for cookies nor what sets some', async () => {
    assert.equal((await get('/guarded/page')).headers['content-encoding'], 'gzip');
    const withCookie = await get('/guarded/page', { ...gzip, cookie: 'session=1' });
    assert.equal(withCookie.headers['content-encoding'], undefined);
    assert.equal(withCookie.headers['vary'], 'Accept-Encoding');
    assert.equal((await get('/guarded/cookie')).headers['content-encoding'], undefined);
    assert.equal((await get('/cookie', { ...gzip, cookie: 'a=b' })).headers['content-encoding'], 'gzip');
  });

  test('prefers the coding that stands first', async () => {
    assert.equal((await get('/ordered/page', { 'accept-encoding': 'br, gzip' })).headers['content-encoding'], 'gzip');
    const zstd = await get('/ordered/page', { 'accept-encoding': 'zstd' });
    assert.equal(zstd.headers['content-encoding'], undefined);
  });

  test('cuts a response whose body breaks off', async () => {
    await assert.rejects(get('/broken'));
  });

  test('keeps connections to the application in use', async () => {
    let connections = 0;
    const count = (): number => connections++;
    origin.on('connection', count);
    for (let round = 0; round < 10; round++) assert.equal((await get('/short')).headers['content-encoding'], 'gzip');
    origin.off('connection', count);
    assert.ok(connections <= 1, `${connections} connections for ten requests`);
  });

  test('counts a rate limit on what goes over the wire', async () => {
    const begun = performance.now();
    const answer = await get('/slow/large');
    assert.equal(answer.body.toString(), large);
    assert.ok(answer.raw.length > 102_400, 'more than the first second allows');
    // 900 KB would take eight seconds.
    assert.ok(performance.now() - begun < 6000);
  });
});
