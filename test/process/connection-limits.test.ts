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

/** @returns a connection that got an answer, undefined when it was closed without one */
async function answered(t: TestContext, port: number): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return await new Promise((resolve) => {
    socket.once('data', () => resolve(socket));
    socket.once('close', () => resolve(undefined));
  });
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
    const sockets: Socket[] = [];
    let refusals = 0;
    await waitFor(async () => {
      // In steps: each worker hears of the others in between.
      const socket = await answered(t, portico.port);
      if (socket !== undefined) sockets.push(socket);
      refusals = socket === undefined ? refusals + 1 : 0;
      return refusals >= 20;
    }, 'every worker to know that there are enough');
    // A few may come in before the others have heard.
    assert.ok(sockets.length >= 30 && sockets.length <= 36, `${sockets.length} were open`);
    const isOpen = (): number => sockets.filter((socket) => !socket.destroyed).length;
    for (const pid of portico.process.workerPids()) process.kill(pid, 'SIGKILL');
    await waitFor(() => isOpen() === 0, 'the end of all of them');
    await waitFor(async () => (await portico.get('/').catch(() => undefined))?.status === 200, 'service');
    await waitFor(async () => (await portico.metric('portico_worker_restarts_total')) >= 4, 'new workers');
    await waitFor(async () => (await portico.metric('portico_workers')) === 4, 'new workers to serve');
    for (let count = 0; count < 10; count++) assert.ok((await answered(t, portico.port)) !== undefined, `${count}`);
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
sites:
  - concurrencyLimit: few
    routes: [{ path: /probe, respond: { body: ok } }, { path: /, proxy: { upstream: app } }]
`,
    { workers: 4 },
  );
  const statuses: number[] = [];
  const ask = (): void => {
    void portico.get('/').then(
      ({ status }) => statuses.push(status),
      () => undefined,
    );
  };
  for (let count = 1; count <= 4; count++) {
    ask();
    await waitFor(() => waiting.length === count, 'a request to arrive');
  }
  // What is answered at once tells whether the workers have heard of each other, and takes no place for long.
  await everyWorker(portico, '/probe', 429);
  for (let count = 0; count < 8; count++) ask();
  await waitFor(() => statuses.length === 8, 'the refusals');
  assert.deepEqual(new Set(statuses), new Set([429]));
  assert.equal(waiting.length, 4);
  for (const answer of waiting) answer();
  await waitFor(() => statuses.length === 12, 'the others');
  await everyWorker(portico, '/probe', 200);
  ask();
  await waitFor(() => waiting.length === 5, 'a place for another one');
  waiting[4]?.();
});

/** Waits until so many answers in a row have that status that every worker must have given some of them. */
async function everyWorker(portico: RunningPortico, path: string, status: number): Promise<void> {
  let inARow = 0;
  await waitFor(async () => {
    inARow = (await portico.get(path)).status === status ? inARow + 1 : 0;
    return inARow >= 40;
  }, `every worker to answer with ${status}`);
}
