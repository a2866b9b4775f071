import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldOrigin } from '../support/held-origin.ts';
import { httpGet } from '../support/http-get.ts';
import { LoadClients } from '../support/load-clients.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';

test('a worker killed under load costs what was in flight in it, is replaced, and no sum goes back', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  const clients = new LoadClients(16, portico.port, '/');
  t.after(() => clients.stop());
  const sums: number[] = [];
  const scrape = async (): Promise<number> => {
    sums.push(await portico.metric('portico_http_requests_total'));
    return sums.at(-1) ?? 0;
  };
  await waitFor(async () => (await scrape()) > 500, 'some load');
  const [victim = 0, survivor = 0] = portico.process.workerPids();
  process.kill(victim, 'SIGKILL');
  const answeredAtDeath = clients.answered;
  await waitFor(async () => {
    await scrape();
    const { workers } = await portico.status();
    return workers.every(({ phase, pid }) => phase === 'ready' && pid !== victim);
  }, 'the replacement');
  const sumAfter = await scrape();
  await waitFor(async () => (await scrape()) > sumAfter + 500, 'load after the replacement');
  await clients.stop();
  await scrape();
  assert.deepEqual(
    sums,
    sums.toSorted((a, b) => a - b),
    'the sum never goes back',
  );
  assert.ok(clients.answered > answeredAtDeath);
  // Each client has one request in flight: whoever was with the dead worker loses that one at most.
  assert.ok(
    clients.records.every(({ failed }) => failed <= 1),
    JSON.stringify(clients.records),
  );
  assert.ok(clients.failed < clients.records.length, 'the other worker went on');
  assert.equal(await portico.metric('portico_worker_restarts_total'), 1);
  assert.equal(await portico.metric('portico_workers'), 2);
  assert.ok(portico.process.workerPids().includes(survivor));
  assert.match(
    portico.process.output.err,
    new RegExp(`worker \\d \\(pid ${victim}\\) was killed by SIGKILL; replaced`),
  );
});

test('while a worker is replaced the others keep it ready', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  process.kill(portico.process.workerPids()[0] ?? 0, 'SIGKILL');
  await waitFor(async () => (await portico.metric('portico_workers')) === 1, 'the death to be noticed');
  assert.equal((await httpGet(portico.adminPort, '/ready')).status, 200);
  for (let connection = 0; connection < 10; connection++) assert.equal((await portico.get('/')).status, 200);
});

test('five deaths in a short time end it with code 1 and an explanation', async (t) => {
  const portico = await RunningPortico.start(t, hello, { workers: 1 });
  const killed = new Set<number>();
  while (killed.size < 5) {
    await waitFor(() => portico.process.workerPids().some((pid) => !killed.has(pid)), 'another worker');
    const [pid = 0] = portico.process.workerPids().filter((each) => !killed.has(each));
    process.kill(pid, 'SIGKILL');
    killed.add(pid);
  }
  assert.equal(await portico.process.ended(), 1);
  assert.match(portico.process.output.err, /5 workers died within 30 seconds, the last: worker 0 .* killed by SIGKILL/);
});

test('a worker that hangs holds up neither a scrape nor the others', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  const [stuck = 0] = portico.process.workerPids();
  process.kill(stuck, 'SIGSTOP');
  for (let scrape = 0; scrape < 3; scrape++) {
    assert.equal((await httpGet(portico.adminPort, '/metrics')).status, 200);
    assert.equal((await httpGet(portico.adminPort, '/status')).status, 200);
  }
  await waitFor(async () => (await portico.metric('portico_worker_report_age_seconds')) > 1.5, 'its silence to show');
});

test('workers end by themselves when the primary is killed, after what they have in flight', async (t) => {
  const origin = await HeldOrigin.start(t);
  const portico = await RunningPortico.start(t, origin.site);
  const workers = portico.process.workerPids();
  assert.equal(workers.length, 2);
  const inFlight = portico.get('/');
  await origin.received(1);
  portico.process.signal('SIGKILL');
  // Not `ended`: the workers still hold its standard error.
  await waitFor(() => portico.process.hasEnded, 'the primary to be gone');
  origin.answerAll();
  assert.equal((await inFlight).body, 'late');
  await waitFor(() => workers.every((pid) => !isAlive(pid)), 'the workers to be gone');
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
