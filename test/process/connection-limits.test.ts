import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const site = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: ok } }] }]\n';

/** Connections that say nothing. @returns those that are open still once it is clear */
async function open(t: TestContext, port: number, count: number): Promise<Set<Socket>> {
  const sockets = new Set<Socket>();
  let settled = 0;
  for (let index = 0; index < count; index++) {
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('connect', () => (settled += 1));
  }
  await waitFor(() => settled + (count - sockets.size) >= count, 'every connection to be decided on');
  return sockets;
}

/** Processor time of a process, in ticks of 10 ms. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

for (const engine of ['uws', 'node'] as const) {
  test(`the ${engine} engine refuses connections when descriptors run low, and rests`, {
    skip: !existsSync('/usr/bin/prlimit'),
  }, async (t) => {
    const portico = await RunningPortico.start(t, site, { workers: 1, engine });
    const [pid = 0] = portico.process.workerPids();
    assert.equal(spawnSync('/usr/bin/prlimit', ['--pid', String(pid), '--nofile=160:160']).status, 0);
    const sockets = await open(t, portico.port, 400);
    await waitFor(async () => (await portico.metric('portico_connections_refused_total')) > 200, 'refusals');
    await waitFor(() => sockets.size < 160, 'what is refused to be closed');
    assert.ok(sockets.size > 20, `${sockets.size} are open`);
    const before = processorTime(pid);
    const startedAt = performance.now();
    await waitFor(() => performance.now() - startedAt > 500, 'half a second');
    assert.ok(processorTime(pid) - before < 25, 'it spins');
    for (const socket of sockets) socket.destroy();
    await waitFor(async () => (await portico.get('/').catch(() => undefined))?.status === 200, 'service');
    assert.match(portico.process.output.err, /file descriptors run low/);
    assert.doesNotMatch(portico.process.output.err, /EMFILE/);
  });

  test(`connections on the ${engine} engine are counted over all workers`, async (t) => {
    const portico = await RunningPortico.start(t, `limits: { connections: 40, connectionsPerAddress: 30 }\n${site}`, {
      workers: 4,
      engine,
    });
    // In several steps: each hears of the others in between.
    let sockets = new Set<Socket>();
    let most = 0;
    const isOpen = (): number => [...sockets].filter((socket) => !socket.destroyed).length;
    for (let step = 0; step < 6; step++) {
      sockets = new Set([...sockets, ...(await open(t, portico.port, 10))]);
      most = Math.max(most, isOpen());
      await waitFor(async () => (await portico.metric('portico_connections_open')) <= 60, 'a report');
    }
    await waitFor(() => isOpen() <= 34, `at most 30, but ${isOpen()}`);
    // At that moment: uWebSockets.js closes what has been silent for ten seconds.
    assert.ok(most >= 26, `${most} were open`);
    for (const pid of portico.process.workerPids()) process.kill(pid, 'SIGKILL');
    await waitFor(() => isOpen() === 0, 'the end of all of them');
    await waitFor(async () => (await portico.get('/').catch(() => undefined))?.status === 200, 'service');
    await waitFor(async () => (await portico.metric('portico_workers')) === 4, 'new workers');
    const again = await open(t, portico.port, 10);
    assert.ok(again.size >= 9, `${again.size} of 10 come in again`);
  });
}

test('requests at a time are counted over all workers', async (t) => {
  const waiting: (() => void)[] = [];
  const origin = createServer((_request, response) => waiting.push(() => response.end('done')));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const { port } = origin.address() as AddressInfo;
  const portico = await RunningPortico.start(
    t,
    `accessLog: false
concurrencyLimits: { few: { limit: 4, key: host } }
upstreams: { app: { servers: ["127.0.0.1:${port}"] } }
sites: [{ concurrencyLimit: few, routes: [{ path: /, proxy: { upstream: app } }] }]
`,
    { workers: 4 },
  );
  const statuses: number[] = [];
  for (let count = 0; count < 12; count++) {
    const seen = waiting.length + statuses.length;
    void portico.get('/').then(
      ({ status }) => statuses.push(status),
      () => undefined,
    );
    await waitFor(() => waiting.length + statuses.length > seen, 'the request to be decided on');
    // As long as the workers take to hear of each other.
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  assert.equal(waiting.length, 4);
  assert.deepEqual(
    statuses,
    Array.from({ length: 8 }, () => 429),
  );
  for (const answer of waiting) answer();
  await waitFor(() => statuses.length === 12, 'the others');
  void portico.get('/').catch(() => undefined);
  await waitFor(() => waiting.length === 5, 'a place for another one');
});
