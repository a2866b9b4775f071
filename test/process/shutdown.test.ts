import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { type TestContext, test } from 'node:test';
import { HeldOrigin } from '../support/held-origin.ts';
import { httpGet } from '../support/http-get.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} finishes what is in flight, takes nothing new, and ends with code 0`, async (t) => {
    const { origin, portico } = await start(t, 'shutdownTimeout: 30s\n');
    const inFlight = [portico.get('/a'), portico.get('/b'), portico.get('/c')];
    await origin.received(3);
    portico.process.signal(signal);
    await waitFor(async () => (await httpGet(portico.adminPort, '/ready')).status === 503, '/ready to answer 503');
    await waitFor(() => isRefused(portico.port), 'new connections to be refused');
    for (let report = 0; report < 20; report++) {
      assert.equal(await portico.metric('portico_http_requests_in_flight'), 3);
    }
    assert.equal(portico.process.hasEnded, false);
    assert.equal(JSON.parse((await httpGet(portico.adminPort, '/ready')).body).reason, 'stopping');
    origin.answerAll();
    assert.deepEqual(
      (await Promise.all(inFlight)).map(({ body }) => body),
      ['late', 'late', 'late'],
    );
    assert.equal(await portico.process.ended(), 0);
    assert.match(portico.process.output.err, new RegExp(`${signal}: stopping when .*"stopped"`, 's'));
  });
}

test('idle kept-alive connections do not hold it up', async (t) => {
  const { portico } = await start(t, 'shutdownTimeout: 30s\n');
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  assert.equal((await httpGet(portico.port, '/fixed', agent)).status, 200);
  portico.process.signal('SIGTERM');
  assert.equal(await portico.process.ended(), 0);
});

test('what outlives shutdownTimeout is cut, counted in the log, and it still ends with code 0', async (t) => {
  const { origin, portico } = await start(t, 'shutdownTimeout: 500ms\n');
  const inFlight = portico.get('/never').then(
    () => 'answered',
    () => 'cut',
  );
  await origin.received(1);
  portico.process.signal('SIGTERM');
  assert.equal(await inFlight, 'cut');
  assert.equal(await portico.process.ended(), 0);
  assert.match(portico.process.output.err, /stopped; 1 request was cut, not finished within 500ms/);
});

test('a second signal ends it at once with code 1', async (t) => {
  const { origin, portico } = await start(t, 'shutdownTimeout: 60s\n');
  const inFlight = portico.get('/never').then(
    () => 'answered',
    () => 'cut',
  );
  await origin.received(1);
  const workers = portico.process.workerPids();
  portico.process.signal('SIGTERM');
  await portico.process.waitForError(/SIGTERM: stopping/);
  portico.process.signal('SIGINT');
  assert.equal(await portico.process.ended(), 1);
  assert.equal(await inFlight, 'cut');
  await waitFor(() => workers.every((pid) => !isAlive(pid)), 'the workers to be gone');
});

test('a worker that hangs does not hold up the end for shutdownTimeout', async (t) => {
  const { portico } = await start(t, 'shutdownTimeout: 10m\n');
  const [stuck = 0] = portico.process.workerPids();
  process.kill(stuck, 'SIGSTOP');
  portico.process.signal('SIGTERM');
  assert.equal(await portico.process.ended(), 0);
  assert.equal(isAlive(stuck), false);
});

test('a worker that has only just been started does not hold up the end for shutdownTimeout', async (t) => {
  const { portico } = await start(t, 'shutdownTimeout: 10m\n');
  const [killed = 0] = portico.process.workerPids();
  process.kill(killed, 'SIGKILL');
  await portico.process.waitForError(/replaced at once/);
  portico.process.signal('SIGTERM');
  assert.equal(await portico.process.ended(), 0);
});

test('a worker that dies while it stops is not replaced', async (t) => {
  const { origin, portico } = await start(t, 'shutdownTimeout: 30s\n');
  const inFlight = portico.get('/never').then(
    () => 'answered',
    () => 'cut',
  );
  await origin.received(1);
  const workers = portico.process.workerPids();
  portico.process.signal('SIGTERM');
  await waitFor(() => isRefused(portico.port), 'new connections to be refused');
  for (const pid of workers.filter(isAlive)) process.kill(pid, 'SIGKILL');
  assert.equal(await inFlight, 'cut');
  assert.equal(await portico.process.ended(), 0);
  assert.doesNotMatch(portico.process.output.err, /replaced/);
});

async function start(t: TestContext, yaml: string) {
  const origin = await HeldOrigin.start(t);
  const site = origin.site.replace('routes: [', 'routes: [{ path: /fixed, respond: { body: here } }, ');
  return { origin, portico: await RunningPortico.start(t, `${yaml}${site}`) };
}

async function isRefused(port: number): Promise<boolean> {
  try {
    await httpGet(port, '/fixed');
    return false;
  } catch (error) {
    return error instanceof Error && error.message.includes('ECONNREFUSED');
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
