import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { HeldOrigin } from '../support/held-origin.ts';
import { httpGet } from '../support/http-get.ts';
import { LoadClients } from '../support/load-clients.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const site = (body: string): string =>
  `accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: ${body} } }] }]\n`;

test('a reload serves the new routes with the same workers over connections that were there before', async (t) => {
  const portico = await RunningPortico.start(t, site('before'));
  const workers = portico.process.workerPids();
  const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(() => agents.forEach((agent) => agent.destroy()));
  const first = await Promise.all(agents.map((agent) => httpGet(portico.port, '/', agent)));
  assert.ok(first.every(({ body }) => body === 'before'));
  await portico.rewrite(site('after'));
  assert.equal(await portico.reload(), 'success');
  const second = await Promise.all(agents.map((agent) => httpGet(portico.port, '/', agent)));
  assert.ok(second.every(({ body }) => body === 'after'));
  assert.deepEqual(
    second.map(({ localPort }) => localPort),
    first.map(({ localPort }) => localPort),
  );
  assert.deepEqual(portico.process.workerPids(), workers);
  const { config, lastReload } = await portico.status();
  assert.equal(config.generation, 2);
  assert.equal(lastReload?.success, true);
});

test('a request in flight finishes on the configuration it started with', async (t) => {
  const origin = await HeldOrigin.start(t);
  const portico = await RunningPortico.start(t, origin.site);
  const inFlight = portico.get('/slow');
  await origin.received(1);
  await portico.rewrite(site('after'));
  assert.equal(await portico.reload(), 'success');
  assert.equal((await portico.get('/slow')).body, 'after');
  origin.answerAll();
  assert.equal((await inFlight).body, 'late');
});

test('no request fails while it reloads again and again under load', async (t) => {
  const portico = await RunningPortico.start(t, site('v0'));
  const clients = new LoadClients(8, portico.port, '/');
  t.after(() => clients.stop());
  for (let version = 1; version <= 5; version++) {
    await portico.rewrite(site(`v${version}`));
    assert.equal(await portico.reload(), 'success');
    const { answered } = clients;
    await waitFor(() => clients.answered > answered + 50, 'load after the reload');
  }
  await clients.stop();
  assert.equal(clients.failed, 0);
  assert.equal((await portico.get('/')).body, 'v5');
});

test('a file with mistakes is refused whole: each is logged, counted, and the old one goes on', async (t) => {
  const portico = await RunningPortico.start(t, site('before'));
  await portico.rewrite(`${site('after')}unknownKey: 1\nshutdownTimeout: soon\n`);
  assert.equal(await portico.reload(), 'failure');
  assert.equal((await portico.get('/')).body, 'before');
  await portico.process.waitForError(/reload refused, the former configuration goes on: 2 mistakes/);
  await portico.process.waitForError(/portico\.yaml:6:1: .*unknownKey/);
  await portico.process.waitForError(/portico\.yaml:7:18: shutdownTimeout/);
  assert.equal(await portico.metric('portico_config_last_reload_successful'), 0);
  const { config, lastReload } = await portico.status();
  assert.equal(config.generation, 1);
  assert.equal(lastReload?.success, false);
  await portico.rewrite(site('mended'));
  assert.equal(await portico.reload(), 'success');
  assert.equal((await portico.get('/')).body, 'mended');
  assert.equal(await portico.metric('portico_config_last_reload_successful'), 1);
});

test('a file that is gone is refused', async (t) => {
  const portico = await RunningPortico.start(t, site('before'));
  await rm(join(portico.folder, 'portico.yaml'));
  assert.equal(await portico.reload(), 'failure');
  assert.equal((await portico.get('/')).body, 'before');
});

test('a listen address that is added opens, one that is taken away closes, their connections live on', async (t) => {
  const portico = await RunningPortico.start(t, site('before'));
  const second = await freePort();
  await portico.rewrite(site('both'), { morePorts: [second] });
  assert.equal(await portico.reload(), 'success');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const kept = await httpGet(second, '/', agent);
  assert.equal(kept.body, 'both');
  await portico.rewrite(site('one'));
  assert.equal(await portico.reload(), 'success');
  await assert.rejects(httpGet(second, '/'), /ECONNREFUSED/);
  const again = await httpGet(second, '/', agent);
  assert.equal(again.body, 'one');
  assert.equal(again.localPort, kept.localPort);
  assert.equal((await portico.get('/')).body, 'one');
});

test('an added address that another program holds refuses the reload', async (t) => {
  const other = await RunningPortico.start(t, site('other'), { workers: 1 });
  const portico = await RunningPortico.start(t, site('before'));
  await portico.rewrite(site('after'), { morePorts: [other.port] });
  assert.equal(await portico.reload(), 'failure');
  assert.equal((await portico.get('/')).body, 'before');
  for (let connection = 0; connection < 10; connection++) assert.equal((await other.get('/')).body, 'other');
  await portico.process.waitForError(new RegExp(`cannot listen on 127.0.0.1:${other.port}: the port is in use`));
});

test('an address that only the workers can try is refused by all of them together', async (t) => {
  const portico = await RunningPortico.start(t, site('before'));
  const { port } = portico;
  // The port is ours on one address and a stranger's on another: to widen ours to every address must fail.
  const stranger = createServer().listen(port, '127.0.0.2');
  t.after(() => stranger.close());
  await once(stranger, 'listening');
  await portico.rewrite(site('after'), { host: '0.0.0.0' });
  assert.equal(await portico.reload(), 'failure');
  for (let connection = 0; connection < 10; connection++) assert.equal((await portico.get('/')).body, 'before');
  assert.deepEqual(
    (await portico.status()).workers.map(({ phase }) => phase),
    ['ready', 'ready'],
  );
  await portico.rewrite(site('mended'));
  assert.equal(await portico.reload(), 'success');
  for (let connection = 0; connection < 10; connection++) assert.equal((await portico.get('/')).body, 'mended');
});

test('a worker that dies later comes up with the configuration of the last reload', async (t) => {
  const portico = await RunningPortico.start(t, site('before'), { workers: 1 });
  await portico.rewrite(site('after'), { workers: 1 });
  assert.equal(await portico.reload(), 'success');
  const [pid = 0] = portico.process.workerPids();
  process.kill(pid, 'SIGKILL');
  await waitFor(async () => {
    const { workers } = await portico.status();
    return workers.every((worker) => worker.phase === 'ready' && worker.pid !== pid);
  }, 'the replacement');
  assert.equal((await portico.get('/')).body, 'after');
});
