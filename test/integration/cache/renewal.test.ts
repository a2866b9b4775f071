import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';
import { SharedCache } from '../../support/shared-cache.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Stale as soon as it is there. */
const stale = { 'cache-control': 'max-age=0', etag: '"v1"' };

describe('a stored response that is stale', () => {
  test('is confirmed by the application, and used again', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (request.headers['if-none-match'] === '"v1"') {
        response.writeHead(304, { etag: '"v1"', 'x-new': 'yes', 'cache-control': 'max-age=0' }).end();
        return;
      }
      response.writeHead(200, stale).end('hello');
    });
    await site.ask('/');
    const again = await site.ask('/');
    assert.equal(again.status, 200);
    assert.equal(again.text, 'hello');
    assert.equal(again.headers['x-new'], 'yes');
    assert.match(again.cache, /^portico; fwd=stale; fwd-status=304/);
    const known = await site.ask('/', { headers: { 'if-none-match': '"v1"' } });
    assert.equal(known.status, 304);
    assert.equal(site.requests.length, 3);
  });

  test('is replaced when the application has another', async (t) => {
    let version = 1;
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=0', etag: `"v${version}"` }).end(`version ${version++}`);
    });
    await site.ask('/');
    const again = await site.ask('/');
    assert.equal(again.text, 'version 2');
    assert.match(again.cache, /^portico; fwd=stale; fwd-status=200; stored/);
    assert.equal(site.requests[1]?.headers['if-none-match'], '"v1"');
  });

  test('is asked for anew when a 304 speaks of another one', async (t) => {
    let count = 0;
    const site = await CachedSite.start(t, (_request, response) => {
      count++;
      if (count === 2) return void response.writeHead(304, { etag: '"other"' }).end();
      response.writeHead(200, stale).end(`answer ${count}`);
    });
    await site.ask('/');
    assert.equal((await site.ask('/')).text, 'answer 3');
    assert.equal(site.requests[2]?.headers['if-none-match'], undefined);
  });

  test('answers all who wait by one confirmation', async (t) => {
    const waiting: ServerResponse[] = [];
    const site = await CachedSite.start(t, (request, response) => {
      if (request.headers['if-none-match'] !== undefined) waiting.push(response);
      else response.writeHead(200, stale).end('hello');
    });
    await site.ask('/');
    const answers = Array.from({ length: 20 }, () => site.ask('/'));
    await waitFor(() => waiting.length === 1, 'the request');
    await waitFor(() => site.inFlight() === 20, 'all requests');
    waiting[0]?.writeHead(304, { 'cache-control': 'max-age=60' }).end();
    for (const answer of await Promise.all(answers)) assert.equal(answer.text, 'hello');
    assert.equal(site.requests.length, 2);
  });
});

for (const shared of [false, true]) {
  describe(`stale-while-revalidate ${shared ? 'over two workers' : 'in one worker'}`, () => {
    test('answers at once, and renews by one request', async (t) => {
      const waiting: ServerResponse[] = [];
      const cache = shared ? new SharedCache(t) : undefined;
      const site = await CachedSite.start(
        t,
        (request, response) => {
          if (site.requests.length > 1) waiting.push(response);
          else response.writeHead(200, { 'cache-control': 'max-age=0, stale-while-revalidate=60' }).end('old');
          void request;
        },
        'true',
        { ...(cache && { cache }) },
      );
      await site.ask('/');
      const worker = (index: number): number => (shared ? index % 2 : 0);
      await Promise.all(Array.from({ length: 2 }, (_, index) => site.ask('/', { worker: worker(index) })));
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => site.ask('/', { worker: worker(index) })),
      );
      for (const answer of answers) {
        assert.equal(answer.text, 'old');
        assert.match(answer.cache, /^portico; hit; ttl=(0|-\d)/);
      }
      await waitFor(() => waiting.length > 0, 'the request in the background');
      assert.equal(site.requests.length, 2);
      waiting[0]?.writeHead(200, { 'cache-control': 'max-age=60' }).end('new');
      await waitFor(async () => (await site.ask('/')).text === 'new', 'the new one');
      if (shared)
        await waitFor(async () => (await site.ask('/', { worker: 1 })).text === 'new', 'it in the other worker');
      assert.equal(site.requests.length, 2);
    });
  });
}

describe('stale-if-error', () => {
  for (const failure of ['503', 'a cut connection'] as const) {
    test(`answers with what is stored on ${failure}`, async (t) => {
      const site = await CachedSite.start(
        t,
        (request, response) => {
          if (site.requests.length === 1) response.writeHead(200, stale).end('hello');
          else if (failure === '503') response.writeHead(503).end('down');
          else request.socket.destroy();
        },
        '{ staleIfError: 1m }',
      );
      await site.ask('/');
      const answers = await Promise.all(Array.from({ length: 5 }, () => site.ask('/')));
      for (const answer of answers) {
        assert.equal(answer.status, 200);
        assert.equal(answer.text, 'hello');
        assert.match(answer.cache, /detail=stale-if-error/);
      }
      const asked = site.requests.length;
      await site.ask('/');
      assert.equal(site.requests.length, asked, 'the application is left alone for a moment');
    });
  }

  test('does not when the response must be revalidated', async (t) => {
    const site = await CachedSite.start(
      t,
      (_request, response) => {
        if (site.requests.length > 1) response.writeHead(503).end('down');
        else response.writeHead(200, { 'cache-control': 'max-age=0, must-revalidate', etag: '"v1"' }).end('hello');
      },
      '{ staleIfError: 1m }',
    );
    await site.ask('/');
    assert.equal((await site.ask('/')).status, 503);
  });
});

describe('a method that changes something', () => {
  test('removes what is stored for its target and its Location', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (request.method === 'POST') response.writeHead(303, { location: '/b' }).end();
      else response.writeHead(200, { 'cache-control': 'max-age=60' }).end('hello');
    });
    for (const path of ['/a', '/b', '/c']) await site.ask(path);
    const posted = await site.ask('/a', { method: 'POST', body: 'x' });
    assert.match(posted.cache, /fwd=method/);
    assert.match((await site.ask('/a')).cache, /uri-miss/);
    assert.match((await site.ask('/b')).cache, /uri-miss/);
    assert.match((await site.ask('/c')).cache, /hit/);
  });

  test('removes nothing when it fails', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (request.method === 'POST') response.writeHead(403).end();
      else response.writeHead(200, { 'cache-control': 'max-age=60' }).end('hello');
    });
    await site.ask('/a');
    await site.ask('/a', { method: 'POST', body: 'x' });
    assert.match((await site.ask('/a')).cache, /hit/);
  });
});
