import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, DirectedWorker } from '../../support/directed-worker.ts';
import { RawClient } from '../../support/raw-client.ts';

/* The times themselves are tested with a clock of the test's own; here a rate that never comes to its end is enough. */

const get = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
const large = 'z'.repeat(400_000);
const slow = '{ redirect: true, limitRate: true }';

/** Asks and waits for the first second's worth; then nothing near the whole has come. */
async function assertSlow(site: DirectedWorker, target = '/', rate = 2000): Promise<void> {
  const client = await RawClient.connect(site.worker.port);
  client.send(get.replace('/', target));
  await client.receivedAtLeast(rate);
  assert.ok(client.pending.length < large.length / 2, `${client.pending.length} bytes came at once`);
  client.destroy();
}

test('X-Accel-Limit-Rate slows the response of the application down', async (context) => {
  const site = await DirectedWorker.start(context, answering(['X-Accel-Limit-Rate: 2000'], large), {
    directives: slow,
  });
  await assertSlow(site);
});

test('X-Accel-Limit-Rate counts for a file that is named beside it', async (context) => {
  const lines = ['X-Accel-Limit-Rate: 2000', 'X-Accel-Redirect: /protected/a.bin'];
  const site = await DirectedWorker.start(context, answering(lines), { directives: slow });
  site.write('a.bin', large);
  await assertSlow(site);
});

test('X-Accel-Limit-Rate of an upstream that is not trusted counts for nothing', async (context) => {
  const site = await DirectedWorker.start(context, answering(['X-Accel-Limit-Rate: 2000'], large), {
    directives: '{}',
  });
  assert.equal((await site.ask()).body.length, large.length);
});

test('what is no rate is ignored', async (context) => {
  const site = await DirectedWorker.start(context, answering(['X-Accel-Limit-Rate: fast'], large), {
    directives: slow,
  });
  assert.equal((await site.ask()).body.length, large.length);
});

test('limitRate slows every response of a route down, of files and of the application', async (context) => {
  const site = await DirectedWorker.start(context, answering([], large), {
    routes: [
      '{ path: /files/, limitRate: 2KB, static: { root: ./files } }',
      '{ path: /slow, limitRate: 2KB, proxy: { upstream: app } }',
    ],
  });
  site.write('a.bin', large);
  await assertSlow(site, '/files/a.bin');
  await assertSlow(site, '/slow');
  assert.equal((await site.ask('/')).body.length, large.length);
});

test('an application may take the bound of its route away', async (context) => {
  const site = await DirectedWorker.start(context, answering(['X-Accel-Limit-Rate: 0'], large), {
    directives: slow,
    routes: ['{ path: /slow, limitRate: 2KB, proxy: { upstream: app } }'],
  });
  assert.equal((await site.ask('/slow')).body.length, large.length);
});

test('a slowed response is whole and unchanged', async (context) => {
  const body = Array.from({ length: 30_000 }, (_, index) => String(index % 10)).join('');
  const site = await DirectedWorker.start(context, answering(['X-Accel-Limit-Rate: 20000'], body), {
    directives: slow,
  });
  assert.equal((await site.ask()).body.toString(), body);
});

test('a slowed response that is not buffered slows the application down, and arrives unchanged', async (context) => {
  const body = Array.from({ length: 200_000 }, (_, index) => String(index % 10)).join('');
  const site = await DirectedWorker.start(context, answering(['X-Accel-Limit-Rate: 150000'], body), {
    directives: slow,
    proxy: 'buffering: { response: false }',
  });
  assert.equal((await site.ask()).body.toString(), body);
});
