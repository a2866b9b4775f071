import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';
import { RawClient } from '../../support/raw-client.ts';
import { SharedCache } from '../../support/shared-cache.ts';
import { waitFor } from '../../support/wait-for.ts';

const minute = { 'cache-control': 'max-age=60' };

describe('a request that fetches for others', () => {
  test('goes on when its client leaves', async (t) => {
    const waiting: ServerResponse[] = [];
    const site = await CachedSite.start(t, (_request, response) => waiting.push(response));
    const leaving = new AbortController();
    const first = assert.rejects(site.ask('/', { signal: leaving.signal }));
    await waitFor(() => waiting.length === 1, 'the request');
    const second = site.ask('/');
    await waitFor(() => site.inFlight() === 2, 'the second to join');
    leaving.abort();
    await first;
    await waitFor(() => site.inFlight() === 1, 'the first to be gone');
    waiting[0]?.writeHead(200, minute).end('hello');
    assert.equal((await second).text, 'hello');
    assert.equal(site.requests.length, 1);
  });

  test('is given up when its client leaves and nobody else waits', async (t) => {
    let closed = false;
    const site = await CachedSite.start(t, (_request, response) => response.on('close', () => (closed = true)));
    const leaving = new AbortController();
    const first = assert.rejects(site.ask('/', { signal: leaving.signal }));
    await waitFor(() => site.requests.length === 1, 'the request');
    leaving.abort();
    await first;
    await waitFor(() => closed, 'the end of the connection to the application');
  });

  test('is stored to the end when its client leaves within the body', async (t) => {
    const waiting: ServerResponse[] = [];
    const body = randomBytes(200_000);
    const site = await CachedSite.start(t, (_request, response) => {
      response.writeHead(200, { ...minute, 'content-length': body.length });
      response.write(body.subarray(0, 100_000));
      waiting.push(response);
    });
    const leaving = new AbortController();
    const first = assert.rejects(site.ask('/', { signal: leaving.signal, onData: () => leaving.abort() }));
    await first;
    waiting[0]?.end(body.subarray(100_000));
    await waitFor(async () => (await site.ask('/')).cache.includes('hit'), 'the stored response');
    assert.ok((await site.ask('/')).body.equals(body));
    assert.equal(site.requests.length, 1);
  });

  test('leaves its turn to the next when the application fails', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      if (site.requests.length > 1) response.writeHead(200, minute).end('hello');
      else void waitFor(() => site.inFlight() === 20, 'all requests').then(() => request.socket.destroy());
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => site.ask('/', { method: 'GET' })));
    // The first one is tried again on another connection, as without a cache; whoever comes then gets it from there.
    for (const answer of answers) assert.ok(answer.status === 200 || answer.status === 502);
    assert.ok(answers.filter(({ status }) => status === 200).length >= 19);
    assert.ok(site.requests.length <= 3);
  });

  test('does not hold up the others for longer than they wait', async (t) => {
    const waiting: ServerResponse[] = [];
    const site = await CachedSite.start(t, (_request, response) => waiting.push(response), '{ collapse: 300ms }');
    const answers = Array.from({ length: 5 }, () => site.ask('/'));
    await waitFor(() => waiting.length === 5, 'requests of their own');
    for (const response of waiting) response.writeHead(200, minute).end('hello');
    for (const answer of await Promise.all(answers)) assert.equal(answer.text, 'hello');
  });

  test('cuts those who read along when it is cut, and stores nothing', async (t) => {
    const body = randomBytes(200_000);
    let reading = 0;
    const site = await CachedSite.start(t, (request, response) => {
      const count = site.requests.length;
      response.writeHead(200, { ...minute, 'content-length': body.length });
      if (count > 1) return void response.end(body);
      response.write(body.subarray(0, 100_000));
      void waitFor(() => reading === 5, 'all to read along').then(() => request.socket.destroy());
    });
    const ask = (): Promise<unknown> => {
      let begun = false;
      const onData = (): void => {
        if (!begun) reading++;
        begun = true;
      };
      return site.ask('/', { onData });
    };
    const answers = await Promise.allSettled(Array.from({ length: 5 }, ask));
    for (const answer of answers) assert.equal(answer.status, 'rejected');
    assert.ok((await site.ask('/')).body.equals(body));
  });

  test('is not held up by one of them who reads slowly', async (t) => {
    const body = randomBytes(8 * 1024 * 1024);
    const waiting: ServerResponse[] = [];
    const site = await CachedSite.start(
      t,
      (_request, response) => {
        response.writeHead(200, { ...minute, 'content-length': body.length });
        response.write(body.subarray(0, 1000));
        waiting.push(response);
      },
      'true',
      { cache: new SharedCache(t) },
    );
    const slow = await RawClient.connect(site.workers[0]?.port ?? 0);
    t.after(() => slow.destroy());
    slow.send('GET / HTTP/1.1\r\nHost: site.example\r\n\r\n');
    await slow.receivedAtLeast(100);
    slow.pause();
    const fast = site.ask('/');
    await waitFor(() => site.inFlight() === 2, 'the other one');
    waiting[0]?.end(body.subarray(1000));
    assert.ok((await fast).body.equals(body));
    slow.resume();
    assert.ok((await slow.response()).body.equals(body));
    assert.equal(site.requests.length, 1);
  });
});
