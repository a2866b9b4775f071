import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { controlRequest } from '../support/control-request.ts';
import { LoadClients } from '../support/load-clients.ts';
import { RawClient } from '../support/raw-client.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';
const changed = hello.replace('body: hello', 'body: changed');

function start(t: TestContext): Promise<RunningPortico> {
  return RunningPortico.start(t, hello, { engine: 'node' });
}

test('both workers take connections at one port of the node engine', async (t) => {
  const portico = await start(t);
  const clients = await Promise.all(Array.from({ length: 64 }, () => RawClient.connect(portico.port)));
  t.after(() => {
    for (const client of clients) client.destroy();
  });
  await waitFor(async () => {
    const { workers } = await portico.status();
    const open = workers.map(({ connections }) => connections);
    return open.reduce((sum, count) => sum + count, 0) === 64 && open.every((count) => count > 0);
  }, 'connections in both workers');
});

test('a reload and a rolling replacement under load lose nothing on the node engine', async (t) => {
  const portico = await start(t);
  const clients = new LoadClients(8, portico.port, '/');
  t.after(() => clients.stop());
  await waitFor(() => clients.answered > 100, 'some load');
  await portico.rewrite(changed, { engine: 'node' });
  assert.equal(await portico.reload(), 'success');
  assert.equal((await portico.get('/')).body, 'changed');
  assert.equal((await controlRequest(portico.adminPort, '/workers/roll')).status, 202);
  await waitFor(async () => (await portico.metric('portico_worker_rolls_total')) > 0, 'the roll to end', 60_000);
  const answered = clients.answered;
  await waitFor(() => clients.answered > answered + 100, 'load behind it');
  await clients.stop();
  assert.equal(clients.failed, 0);
});

test('a worker of the node engine that is killed is replaced and the port stays open', async (t) => {
  const portico = await start(t);
  const [victim = 0] = portico.process.workerPids();
  process.kill(victim, 'SIGKILL');
  await waitFor(async () => {
    const { workers } = await portico.status();
    return workers.every(({ phase, pid }) => phase === 'ready' && pid !== victim);
  }, 'the replacement');
  for (let count = 0; count < 10; count++) assert.equal((await portico.get('/')).body, 'hello');
});

test('SIGTERM ends the node engine in order', async (t) => {
  const portico = await start(t);
  assert.equal((await portico.get('/')).body, 'hello');
  portico.process.signal('SIGTERM');
  assert.equal(await portico.process.ended(), 0);
});

test('HTTP/1.0 is spoken by the node engine', async (t) => {
  const portico = await start(t);
  const client = await RawClient.connect(portico.port);
  client.send('GET / HTTP/1.0\r\n\r\n');
  assert.equal((await client.response()).body.toString(), 'hello');
  await client.closed();
});
