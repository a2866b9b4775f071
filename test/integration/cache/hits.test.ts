import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';

const minute = { 'cache-control': 'max-age=60' };

describe('a response that may be stored', () => {
  test('answers the next request without the application', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, 'content-type': 'text/plain', 'x-made': 'by app' }).end('hello');
    });
    const first = await site.ask('/page?a=1');
    assert.equal(first.text, 'hello');
    assert.match(first.cache, /^portico; fwd=uri-miss; stored/);
    assert.equal(first.headers.age, undefined);
    const second = await site.ask('/page?a=1');
    assert.equal(second.text, 'hello');
    assert.match(second.cache, /^portico; hit; ttl=(60|59)$/);
    assert.match(second.headers.age ?? '', /^[01]$/);
    assert.equal(second.headers['x-made'], 'by app');
    assert.equal(second.headers['content-type'], 'text/plain');
    assert.equal(second.headers['content-length'], '5');
    assert.equal(second.headers['x-request-id'], undefined, 'that of the first one is not stored');
    assert.equal(site.requests.length, 1);
    assert.equal((await site.ask('/page?a=2')).cache.startsWith('portico; fwd=uri-miss'), true);
  });

  test('answers HEAD, conditions and ranges', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, etag: '"v1"', 'content-type': 'text/plain' }).end('0123456789');
    });
    await site.ask('/');
    const head = await site.ask('/', { method: 'HEAD' });
    assert.equal(head.headers['content-length'], '10');
    assert.equal(head.body.length, 0);
    const known = await site.ask('/', { headers: { 'if-none-match': '"v1"' } });
    assert.equal(known.status, 304);
    assert.equal(known.headers.etag, '"v1"');
    assert.match(known.cache, /hit/);
    const part = await site.ask('/', { headers: { range: 'bytes=2-4' } });
    assert.equal(part.status, 206);
    assert.equal(part.text, '234');
    assert.equal(part.headers['content-range'], 'bytes 2-4/10');
    const parts = await site.ask('/', { headers: { range: 'bytes=0-0,9-9' } });
    assert.equal(parts.status, 206);
    const stale = await site.ask('/', { headers: { range: 'bytes=2-4', 'if-range': '"other"' } });
    assert.equal(stale.status, 200);
    const outside = await site.ask('/', { headers: { range: 'bytes=20-' } });
    assert.equal(outside.status, 416);
    assert.equal(outside.headers['content-range'], 'bytes */10');
    assert.equal(site.requests.length, 1);
  });

  test('is kept for each variant that the application names', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      const language = request.headers['accept-language'] ?? 'none';
      response.writeHead(200, { ...minute, vary: 'Accept-Language' }).end(language);
    });
    assert.equal((await site.ask('/', { headers: { 'accept-language': 'de' } })).text, 'de');
    assert.equal((await site.ask('/', { headers: { 'accept-language': 'en' } })).text, 'en');
    const again = await site.ask('/', { headers: { 'accept-language': 'de' } });
    assert.equal(again.text, 'de');
    assert.match(again.cache, /hit/);
    assert.equal((await site.ask('/')).text, 'none');
    assert.equal(site.requests.length, 3);
  });
});

describe('a response that says nothing', () => {
  test('is not stored', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.end('hello'));
    await site.ask('/');
    await site.ask('/');
    assert.equal(site.requests.length, 2);
  });

  test('is stored for the ttl of the route', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.end('hello'), '{ ttl: 1m }');
    await site.ask('/');
    assert.match((await site.ask('/')).cache, /hit/);
  });
});
