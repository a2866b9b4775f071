import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { LoadClients } from '../support/load-clients.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

/** An application that counts the requests that it has at a time, and takes a moment for each. */
async function countingOrigin(t: { after(step: () => unknown): void }, delayMs: number) {
  const seen = { now: 0, most: 0, total: 0 };
  const server = createServer((_request, response) => {
    seen.now++;
    seen.total++;
    seen.most = Math.max(seen.most, seen.now);
    setTimeout(() => {
      seen.now--;
      response.end('done');
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, port: (server.address() as AddressInfo).port };
}

function site(port: number, maxConnections: number, more = ''): string {
  const server = `{ url: "127.0.0.1:${port}", maxConnections: ${maxConnections} }`;
  return `accessLog: false
upstreams: { app: { servers: [${server}], ${more} } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`;
}

test('a server that takes one request at a time gets one at a time from four workers', async (t) => {
  const origin = await countingOrigin(t, 2);
  const portico = await RunningPortico.start(t, site(origin.port, 1), { workers: 4 });
  const clients = new LoadClients(24, portico.port, '/');
  t.after(() => clients.stop());
  await waitFor(() => clients.records.every(({ answered }) => answered >= 10), 'every client to be answered in turn');
  await clients.stop();
  assert.equal(origin.seen.most, 1);
  assert.equal(clients.failed, 0);
  assert.ok((await portico.metric('portico_upstream_queue_seconds_count')) > 0, 'requests have waited');
  await waitFor(async () => (await portico.metric('portico_upstream_leases')) === 0, 'idle leases to go back');
});

test('the capacity of a worker that was killed is free for the others, and the limit still holds', async (t) => {
  const origin = await countingOrigin(t, 5);
  const portico = await RunningPortico.start(t, site(origin.port, 3), { workers: 3 });
  const clients = new LoadClients(24, portico.port, '/');
  t.after(() => clients.stop());
  await waitFor(() => clients.answered > 100, 'some load');
  const before = portico.process.workerPids();
  process.kill(before[0] ?? 0, 'SIGKILL');
  const answered = clients.answered;
  await waitFor(() => clients.answered > answered + 200, 'the load to go on');
  await waitFor(async () => (await portico.metric('portico_workers')) === 3, 'the replacement');
  const afterwards = clients.answered;
  await waitFor(() => clients.answered > afterwards + 200, 'load with the replacement');
  await clients.stop();
  // The application still works on what the dead worker had asked for.
  assert.ok(origin.seen.most <= 3 + 3, `at most ${origin.seen.most}`);
  assert.ok(clients.records.every(({ failed }) => failed <= 1));
});

test('a reload changes the limit', async (t) => {
  const origin = await countingOrigin(t, 5);
  const portico = await RunningPortico.start(t, site(origin.port, 1), { workers: 2 });
  const clients = new LoadClients(16, portico.port, '/');
  t.after(() => clients.stop());
  await waitFor(() => clients.answered > 50, 'some load');
  assert.equal(origin.seen.most, 1);
  await portico.rewrite(site(origin.port, 4));
  assert.equal(await portico.reload(), 'success');
  await waitFor(() => origin.seen.most > 2, 'more requests at a time');
  await portico.rewrite(site(origin.port, 2));
  assert.equal(await portico.reload(), 'success');
  await waitFor(() => origin.seen.now <= 2, 'what is too much to end');
  origin.seen.most = 0;
  const answered = clients.answered;
  await waitFor(() => clients.answered > answered + 100, 'load under the lower limit');
  // Before the application goes: requests would wait for it, and the end for them.
  await clients.stop();
  assert.ok(origin.seen.most <= 2, `${origin.seen.most} at a time`);
  assert.equal(clients.failed, 0);
});
