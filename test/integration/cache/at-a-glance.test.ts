import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type CachedAnswer, CachedSite } from '../../support/cached-site.ts';
import { pageText } from '../../support/page-text.ts';
import { SharedCache } from '../../support/shared-cache.ts';
import { waitFor } from '../../support/wait-for.ts';

const page = pageText(20_000);
type Fields = Readonly<Record<string, string>>;

function answerPage(response: ServerResponse, fields: Fields = {}): void {
  response
    .writeHead(200, {
      'content-type': 'text/html',
      'cache-control': 'max-age=600',
      etag: '"v1"',
      'last-modified': 'Tue, 10 Nov 2026 08:00:00 GMT',
      ...fields,
    })
    .end(page);
}

/** What can differ between two answers to the same request is the second in which they were made. */
function comparable({ status, headers, body }: CachedAnswer): unknown {
  const {
    date: _,
    age: __,
    connection: ___,
    'keep-alive': ____,
    'cache-status': cache,
    'x-request-id': _____,
    ...rest
  } = headers;
  return { status, rest, body: body.toString('base64'), cache: String(cache).replace(/ttl=\d+/, 'ttl') };
}

/** Each as a request that may be answered at a glance, and as one that is read whole. */
async function sameBothWays(site: CachedSite, headers: Fields, method = 'GET', path = '/'): Promise<CachedAnswer> {
  const glanced = await site.ask(path, { method, headers: { connection: 'keep-alive', ...headers } });
  const whole = await site.ask(path, { method, headers: { connection: 'close', ...headers } });
  assert.deepEqual(comparable(glanced), comparable(whole), `${method} ${path} ${JSON.stringify(headers)}`);
  return glanced;
}

const requests: readonly Fields[] = [
  {},
  { 'accept-encoding': 'gzip' },
  { 'accept-encoding': 'br;q=0.5, gzip' },
  { 'accept-encoding': 'identity' },
  { 'accept-encoding': 'gzip;q=0' },
  { 'accept-encoding': '' },
  { 'if-none-match': '"v1"' },
  { 'if-none-match': '"v1"', 'accept-encoding': 'gzip' },
  { 'if-none-match': '"v1-gzip"', 'accept-encoding': 'gzip' },
  { 'if-none-match': '"v1-gzip"' },
  { 'if-none-match': '"v0", "v1"' },
  { 'if-none-match': 'W/"v1"' },
  { 'if-none-match': '*' },
  { 'if-none-match': '"v0"' },
  { 'if-modified-since': 'Tue, 10 Nov 2026 08:00:00 GMT' },
  { 'if-modified-since': 'Mon, 09 Nov 2026 08:00:00 GMT' },
  { range: 'bytes=0-9' },
  { range: 'bytes=0-9', 'accept-encoding': 'gzip' },
  { range: 'bytes=0-9', 'if-range': '"v0"' },
  { cookie: 'a=b' },
  { cookie: 'a=b', 'accept-encoding': 'gzip' },
  { authorization: 'Basic eDp5' },
  { 'cache-control': 'no-cache' },
];

describe('a hit that is answered at a glance is the one that a request read whole gets', () => {
  for (const [name, rules, route, fields] of [
    ['with the defaults', 'true', '', {}],
    ['from a public response', 'true', '', { 'cache-control': 'public, max-age=600' }],
    ['compressed', 'true', 'compress: { codings: [gzip] }', {}],
    ['compressed, but not for cookies', 'true', 'compress: { codings: [gzip], cookies: off }', {}],
    ['that must not be transformed', 'true', 'compress: true', { 'cache-control': 'max-age=600, no-transform' }],
    ['of a type that is not compressed', 'true', 'compress: true', { 'content-type': 'image/png' }],
    ['that varies by Accept-Encoding', 'true', '', { vary: 'Accept-Encoding' }],
    ['that varies by something else', 'true', '', { vary: 'Accept-Language, Accept-Encoding' }],
    ['with bypass by cookie', '{ bypass: { cookies: [session] } }', '', {}],
    ['with lines of the route', 'true', 'responseHeaders: { set: { X-Made: here }, remove: [last-modified] }', {}],
  ] as const) {
    test(name, async (t) => {
      const site = await CachedSite.start(t, (_, response) => answerPage(response, fields), rules, { route });
      // Twice, so that variants are stored; then until forms that are made once are there.
      for (const headers of [...requests, ...requests])
        if (!('authorization' in headers)) await site.ask('/', { headers });
      if (name.startsWith('compressed')) {
        const form = gzipSync(page, { level: 9, memLevel: 9 });
        await waitFor(async () => {
          const { body } = await site.ask('/', { headers: { 'accept-encoding': 'gzip' } });
          return body.length === form.length;
        }, 'the form');
      }
      for (const headers of requests) {
        await sameBothWays(site, headers);
        await sameBothWays(site, headers, 'HEAD');
      }
    });
  }

  test('from disk, where its file was read a moment ago', async (t) => {
    const cache = new SharedCache(t, { memoryEntry: 16_384 });
    const body = randomBytes(200_000);
    const site = await CachedSite.start(
      t,
      (_, response) => response.writeHead(200, { 'cache-control': 'max-age=600', etag: '"v1"' }).end(body),
      'true',
      { cache, zone: 'memoryEntry: 16KB' },
    );
    await waitFor(async () => /; hit/.test((await site.ask('/')).cache), 'it to be stored');
    for (let time = 0; time < 4; time++) assert.ok((await sameBothWays(site, {})).body.equals(body));
    assert.equal((await sameBothWays(site, { range: 'bytes=5-9' })).status, 206);
  });
});

test('two cookies in two fields go past the cache as those in one', async (t) => {
  const site = await CachedSite.start(t, (_, response) => answerPage(response), '{ bypass: { cookies: [session] } }');
  await site.ask('/');
  assert.match((await site.ask('/')).cache, /hit/);
  const headers = { connection: 'keep-alive', cookie: ['a=b', 'session=1'] as unknown as string };
  assert.match((await site.ask('/', { headers })).cache, /fwd=bypass/);
});
