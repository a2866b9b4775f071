import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';
import { SharedCache } from '../../support/shared-cache.ts';
import { waitFor } from '../../support/wait-for.ts';

const minute = { 'cache-control': 'max-age=60' };

for (const shared of [false, true]) {
  const where = shared ? 'over two workers' : 'in one worker';

  describe(`many requests for one cold key ${where}`, () => {
    test('cost the application one', async (t) => {
      const waiting: ServerResponse[] = [];
      const cache = shared ? new SharedCache(t) : undefined;
      const site = await CachedSite.start(t, (_request, response) => waiting.push(response), 'true', {
        ...(cache && { cache }),
      });
      const answers = Array.from({ length: 200 }, (_, index) => site.ask('/', { worker: shared ? index % 2 : 0 }));
      await waitFor(() => waiting.length > 0, 'a request');
      await waitFor(() => site.inFlight() === 200, 'all requests');
      waiting[0]?.writeHead(200, minute).end('hello');
      for (const answer of await Promise.all(answers)) assert.equal(answer.text, 'hello');
      assert.equal(site.requests.length, 1);
    });

    test('do not stand in line when the answer cannot be stored', async (t) => {
      const waiting: ServerResponse[] = [];
      const cache = shared ? new SharedCache(t) : undefined;
      const site = await CachedSite.start(t, (_request, response) => waiting.push(response), 'true', {
        ...(cache && { cache }),
      });
      const answers = Array.from({ length: 50 }, (_, index) => site.ask('/', { worker: shared ? index % 2 : 0 }));
      await waitFor(() => waiting.length === 1, 'a request');
      // The head alone tells: nobody waits for the rest.
      waiting[0]?.writeHead(200, { 'cache-control': 'private', 'content-length': 5 }).flushHeaders();
      waiting[0]?.write('h');
      await waitFor(() => waiting.length === 50, 'all others');
      waiting[0]?.end('ello');
      for (const response of waiting.slice(1)) response.writeHead(200, { 'cache-control': 'private' }).end('hello');
      for (const answer of await Promise.all(answers)) assert.equal(answer.text, 'hello');
      const more = [site.ask('/'), site.ask('/')];
      await waitFor(() => waiting.length === 52, 'both at once: it is remembered');
      for (const response of waiting.slice(50)) response.writeHead(200, { 'cache-control': 'private' }).end('hello');
      await Promise.all(more);
    });

    test('get a large body while it arrives', async (t) => {
      const body = randomBytes(4 * 1024 * 1024);
      let sent: ServerResponse | undefined;
      const cache = shared ? new SharedCache(t) : undefined;
      const site = await CachedSite.start(
        t,
        (_request, response) => {
          response.writeHead(200, { ...minute, 'content-length': body.length });
          response.write(body.subarray(0, 1024 * 1024));
          sent = response;
        },
        'true',
        { ...(cache && { cache }) },
      );
      let received = 0;
      const answers = Array.from({ length: 8 }, (_, index) =>
        site.ask('/', { worker: shared ? index % 2 : 0, onData: (chunk) => (received += chunk.length) }),
      );
      await waitFor(() => received >= 8 * 900_000, 'the first part everywhere');
      sent?.end(body.subarray(1024 * 1024));
      for (const answer of await Promise.all(answers)) assert.ok(answer.body.equals(body));
      assert.equal(site.requests.length, 1);
    });
  });
}
