import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { controlRequest } from '../support/control-request.ts';
import { httpGet } from '../support/http-get.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { ScriptedOrigin } from '../support/scripted-origin.ts';
import { waitFor } from '../support/wait-for.ts';

const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';

/** An application server that answers with its name. */
async function named(t: TestContext, name: string): Promise<ScriptedOrigin> {
  const origin = await ScriptedOrigin.start((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
  });
  t.after(() => origin.close());
  return origin;
}

async function balanced(t: TestContext) {
  const [a, b] = [await named(t, 'a'), await named(t, 'b')];
  const portico = await RunningPortico.start(
    t,
    `accessLog: false
upstreams: { app: { servers: ["http://127.0.0.1:${a.port}", "http://127.0.0.1:${b.port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`,
  );
  const path = `/upstreams/app/servers/127.0.0.1:${a.port}/state`;
  const answers = async (): Promise<string> => {
    const all = await Promise.all(Array.from({ length: 12 }, () => portico.get('/')));
    return [...new Set(all.map(({ body }) => body))].toSorted().join('');
  };
  return { portico, path, answers, name: `127.0.0.1:${a.port}` };
}

test('a server is taken out in all workers, stays out after a worker is replaced and after a reload, and comes back', async (t) => {
  const { portico, path, answers, name } = await balanced(t);
  await waitFor(async () => (await answers()) === 'ab', 'both servers to be used');
  const drained = await controlRequest(portico.adminPort, path, { state: 'maintenance' });
  assert.deepEqual(drained, { status: 200, value: { upstream: 'app', server: name, state: 'maintenance' } });
  await waitFor(async () => (await answers()) === 'b', 'the server to be out');
  await waitFor(async () => {
    const { upstreams } = await portico.status();
    return upstreams[0]?.servers.find(({ server }) => server === name)?.ordered === 'maintenance';
  }, '/status to show it');
  for (const pid of portico.process.workerPids()) process.kill(pid, 'SIGKILL');
  await waitFor(
    async () => (await portico.status()).workers.every(({ phase, restarts }) => phase === 'ready' && restarts === 1),
    'the replacements',
  );
  for (let round = 0; round < 5; round++) assert.equal(await answers(), 'b');
  assert.equal(await portico.reload(), 'success');
  for (let round = 0; round < 5; round++) assert.equal(await answers(), 'b');
  assert.equal((await controlRequest(portico.adminPort, path, { state: 'configured' })).status, 200);
  await waitFor(async () => (await answers()) === 'ab', 'both servers to be used again');
});

test('what is not there or not a state is refused', async (t) => {
  const { portico, path } = await balanced(t);
  const status = async (where: string, body: object = { state: 'drain' }) =>
    (await controlRequest(portico.adminPort, where, body)).status;
  assert.equal(await status(path, { state: 'asleep' }), 400);
  assert.equal(await status(path, {}), 400);
  assert.equal(await status('/upstreams/app/servers/127.0.0.1:1/state'), 404);
  assert.equal(await status('/upstreams/__proto__/servers/127.0.0.1:1/state'), 404);
  assert.equal(await status('/upstreams/%ff/servers/a/state'), 404);
  assert.equal(await status('/workers/other'), 404);
  assert.equal((await httpGet(portico.adminPort, '/workers/roll')).status, 405);
});

test('pages of strangers, forms, and long or broken bodies change nothing', async (t) => {
  const portico = await RunningPortico.start(t, hello, { workers: 1 });
  const pids = portico.process.workerPids();
  const status = async (headers: Record<string, string>, body: object = {}) =>
    (await controlRequest(portico.adminPort, '/workers/roll', body, headers)).status;
  assert.equal(await status({ Origin: 'http://evil.example' }), 403);
  assert.equal(await status({ 'Sec-Fetch-Site': 'cross-site' }), 403);
  assert.equal(await status({ Host: 'rebound.example' }), 403);
  assert.equal(await status({ 'Content-Type': 'text/plain' }), 415);
  assert.equal(await status({}, { padding: 'x'.repeat(5000) }), 413);
  const broken = connect(portico.adminPort, '127.0.0.1');
  broken.write(
    'POST /workers/roll HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{',
  );
  broken.end();
  assert.match(await text(broken), /^HTTP\/1\.1 400 /);
  const preflight = connect(portico.adminPort, '127.0.0.1');
  preflight.write(
    'OPTIONS /workers/roll HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n',
  );
  const answer = await text(preflight);
  assert.match(answer, /^HTTP\/1\.1 405 /);
  assert.doesNotMatch(answer, /access-control/i);
  assert.deepEqual(portico.process.workerPids(), pids);
  assert.equal((await portico.status()).lastRoll, null);
});
