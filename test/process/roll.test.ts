import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { ConnectStorm } from '../support/connect-storm.ts';
import { controlRequest } from '../support/control-request.ts';
import { HeldOrigin } from '../support/held-origin.ts';
import { httpGet } from '../support/http-get.ts';
import { LoadClients } from '../support/load-clients.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const site = (body: string): string =>
  `accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: ${body} } }] }]\n`;
const withShortStop = (yaml: string, timeout: string): string => `shutdownTimeout: ${timeout}\n${yaml}`;

/**
 * The kernel resets what it queues in the microseconds between the last look and the closing of a socket: with thousands of
 * connections a second for about one in a hundred sockets closed, and for several at once where the process stands still just
 * then. A client hears of it as it connects, or right after. Nothing else may fail, and nothing that a worker has taken.
 */
function assertNothingLost({ failures }: ConnectStorm): void {
  assert.ok(failures.length <= 2, failures.join('\n'));
  for (const failure of failures) assert.match(failure, /(connect|read) ECONNRESET/);
}

/** Asks for it and waits until it has come to its end. */
async function roll(portico: RunningPortico): Promise<void> {
  const before = await portico.metric('portico_worker_rolls_total');
  assert.equal((await controlRequest(portico.adminPort, '/workers/roll')).status, 202);
  await waitFor(async () => (await portico.metric('portico_worker_rolls_total')) > before, 'the roll to end', 60_000);
}

test('every worker is replaced while new connections and kept ones go on without a failure', async (t) => {
  const portico = await RunningPortico.start(t, site('hello'));
  const former = portico.process.workerPids();
  const kept = new LoadClients(4, portico.port, '/');
  t.after(() => kept.stop());
  const storm = new ConnectStorm(4, portico.port);
  t.after(() => storm.stop());
  await roll(portico);
  await storm.stop();
  await kept.stop();
  assert.equal(kept.failed, 0);
  assertNothingLost(storm);
  assert.ok(storm.answered > 100);
  const { workers, lastRoll } = await portico.status();
  assert.deepEqual(
    workers.map(({ slot, phase, restarts }) => [slot, phase, restarts]),
    [
      [0, 'ready', 1],
      [1, 'ready', 1],
    ],
  );
  assert.ok(workers.every(({ pid }) => pid !== null && !former.includes(pid)));
  assert.equal(lastRoll?.replaced, 2);
  assert.equal(lastRoll?.cut, 0);
  assert.equal(await portico.metric('portico_worker_restarts_total'), 0);
  // Every request was counted once, also those of the workers that are gone.
  assert.equal(await portico.metric('portico_http_requests_total'), kept.answered + storm.answered);
});

test('a request on a connection that was idle when its worker was replaced is answered, and the connection closed politely', async (t) => {
  const portico = await RunningPortico.start(t, site('hello'), { workers: 1 });
  const [predecessor = 0] = portico.process.workerPids();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const first = await httpGet(portico.port, '/', agent);
  assert.equal((await controlRequest(portico.adminPort, '/workers/roll')).status, 202);
  await waitFor(async () => {
    const { workers } = await portico.status();
    return workers.some(({ phase, pid }) => phase === 'ready' && pid !== predecessor);
  }, 'the successor');
  await waitFor(async () => (await httpGet(portico.port, '/')).status === 200, 'the successor to answer');
  const second = await httpGet(portico.port, '/', agent);
  assert.equal(second.localPort, first.localPort);
  assert.equal(second.headers.connection, 'close');
  const third = await httpGet(portico.port, '/', agent);
  assert.notEqual(third.localPort, first.localPort);
  await waitFor(() => !portico.process.workerPids().includes(predecessor), 'the predecessor to be gone');
});

test('a request in flight finishes in the predecessor', async (t) => {
  const origin = await HeldOrigin.start(t);
  const portico = await RunningPortico.start(t, origin.site, { workers: 1 });
  const inFlight = portico.get('/slow');
  await origin.received(1);
  assert.equal((await controlRequest(portico.adminPort, '/workers/roll')).status, 202);
  await waitFor(async () => (await portico.status()).workers.length === 2, 'the successor to serve');
  const { roll: progress } = await portico.status();
  assert.equal(progress?.reason, 'request');
  assert.equal((await controlRequest(portico.adminPort, '/workers/roll')).status, 409);
  origin.answerAll();
  assert.equal((await inFlight).body, 'late');
  await waitFor(async () => (await portico.status()).roll === null, 'the roll to end');
});

test('what outlives shutdownTimeout in a predecessor is cut and counted', async (t) => {
  const origin = await HeldOrigin.start(t);
  const portico = await RunningPortico.start(t, withShortStop(origin.site, '200ms'), { workers: 1 });
  const inFlight = assert.rejects(portico.get('/slow'));
  await origin.received(1);
  await roll(portico);
  await inFlight;
  assert.equal((await portico.status()).lastRoll?.cut, 1);
});

test('a changed header limit takes effect by a roll that the reload starts', async (t) => {
  const portico = await RunningPortico.start(t, site('before'), { workers: 1 });
  const long = `/?${'x'.repeat(40_000)}`;
  assert.equal((await portico.get(long)).status, 431);
  await portico.rewrite(`${site('after')}limits: { headerSize: 64KB, uriLength: 64KB }\n`, { workers: 1 });
  assert.equal(await portico.reload(), 'success');
  await waitFor(async () => (await portico.metric('portico_worker_rolls_total', 'configuration')) === 1, 'the roll');
  assert.equal((await portico.get(long)).status, 200);
});

test('a reload starts more workers and retires those that are not wanted any more', async (t) => {
  const portico = await RunningPortico.start(t, site('hello'), { workers: 1 });
  const storm = new ConnectStorm(2, portico.port);
  t.after(() => storm.stop());
  await portico.rewrite(site('hello'), { workers: 3 });
  assert.equal(await portico.reload(), 'success');
  await waitFor(async () => (await portico.metric('portico_workers')) === 3, 'three workers');
  await portico.rewrite(site('hello'), { workers: 1 });
  assert.equal(await portico.reload(), 'success');
  await waitFor(() => portico.process.workerPids().length === 1, 'one worker');
  await storm.stop();
  assertNothingLost(storm);
  assert.equal(await portico.metric('portico_worker_restarts_total'), 0);
});

test('a worker over its memory limit is replaced without loss', async (t) => {
  // No worker is below the smallest limit there is.
  const portico = await RunningPortico.start(t, `workerMaxMemory: 64MB\n${site('hello')}`, { workers: 1 });
  const [predecessor = 0] = portico.process.workerPids();
  const clients = new LoadClients(2, portico.port, '/');
  t.after(() => clients.stop());
  await waitFor(async () => (await portico.metric('portico_worker_rolls_total', '"memory"')) === 1, 'the replacement');
  await clients.stop();
  assert.equal(clients.failed, 0);
  assert.ok(!portico.process.workerPids().includes(predecessor));
  await portico.process.waitForError(/worker 0 is over workerMaxMemory and is replaced/);
});

test('a stop in the middle of a roll ends both workers of the slot', async (t) => {
  const portico = await RunningPortico.start(t, site('hello'), { workers: 1 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  await httpGet(portico.port, '/', agent);
  assert.equal((await controlRequest(portico.adminPort, '/workers/roll')).status, 202);
  await waitFor(() => portico.process.workerPids().length === 2, 'the successor');
  assert.equal(await portico.process.stop(), 0);
});

test('no connection fails while a listen address is widened, narrowed and taken away', async (t) => {
  const portico = await RunningPortico.start(t, site('hello'));
  const storm = new ConnectStorm(4, portico.port);
  t.after(() => storm.stop());
  for (const host of ['0.0.0.0', '127.0.0.1', '0.0.0.0', '127.0.0.1']) {
    await portico.rewrite(site('hello'), { host });
    assert.equal(await portico.reload(), 'success');
  }
  await storm.stop();
  assert.ok(storm.answered > 20);
  assertNothingLost(storm);
});
