import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { httpGet } from '../support/http-get.ts';
import { PorticoProcess, type PorticoProcessOptions } from '../support/portico-process.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';

test('it is ready when every worker listens, and says so in one line', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  assert.equal((await portico.get('/')).body, 'hello');
  const address = `http://127.0.0.1:${portico.port}`;
  const admin = `admin http://127.0.0.1:${portico.adminPort}`;
  await portico.process.waitForError(
    new RegExp(`portico \\S+ ready on ${address} \\(2 workers, uWebSockets\\.js \\S+, ${admin}\\) in \\d+ ms`),
  );
  const { ready, workers } = await portico.status();
  assert.equal(ready, true);
  assert.deepEqual(
    workers.map(({ pid }) => pid ?? 0).toSorted(byNumber),
    portico.process.workerPids().toSorted(byNumber),
  );
  assert.deepEqual(
    workers.map(({ phase }) => phase),
    ['ready', 'ready'],
  );
});

test('its own numbers are there from the first scrape on', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  assert.equal(await portico.metric('portico_workers'), 2);
  assert.equal(await portico.metric('portico_worker_restarts_total'), 0);
  assert.equal(await portico.metric('portico_build_info', 'engine="uWebSockets.js'), 1);
  assert.equal(await portico.metric('portico_config_last_reload_successful'), 1);
  const started = await portico.metric('portico_process_start_time_seconds');
  assert.ok(started > 1e9 && started <= Date.now() / 1000);
});

test('port 0 takes a free port, the same for every worker, and the ready line names it', async (t) => {
  const portico = await startAndSpeak(t, `listen: ["127.0.0.1:0"]\nadmin: false\nworkers: 2\n${hello}`);
  await portico.waitForError(/ready on/);
  const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(portico.output.err)?.[1]);
  assert.match(portico.output.err, /no admin listener/);
  for (let connection = 0; connection < 20; connection++) assert.equal((await httpGet(port, '/')).body, 'hello');
});

test('flags alone are enough to serve', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'page.txt'), 'from a file');
  const port = await freePort();
  const args = ['serve', '--static', '/=.', '--listen', `127.0.0.1:${port}`, '--admin', 'off', '--workers', '1'];
  const portico = spawnPortico(t, args, { cwd: folder });
  await portico.waitForError(/ready on/);
  assert.equal((await httpGet(port, '/page.txt')).body, 'from a file');
});

test('a port in use ends it with code 2 and one line that says what to do', async (t) => {
  const port = await occupiedPort(t);
  const portico = await startAndSpeak(t, `listen: ["127.0.0.1:${port}"]\nadmin: false\n${hello}`);
  assert.equal(await portico.ended(), 2);
  assert.match(portico.output.err, new RegExp(`^portico: listen: cannot listen on 127.0.0.1:${port}: .* in use .*\n$`));
});

test('another Portico on the same port is noticed, although workers share ports', async (t) => {
  const first = await RunningPortico.start(t, hello);
  const second = await startAndSpeak(t, `listen: ["127.0.0.1:${first.port}"]\nadmin: false\n${hello}`);
  assert.equal(await second.ended(), 2);
  assert.match(second.output.err, /in use \(another Portico, or another server/);
  assert.equal((await first.get('/')).status, 200);
});

test('an admin port in use ends it with code 2 before anything serves', async (t) => {
  const [port, adminPort] = [await freePort(), await occupiedPort(t)];
  const yaml = `listen: ["127.0.0.1:${port}"]\nadmin: { address: "127.0.0.1:${adminPort}" }\n${hello}`;
  const portico = await startAndSpeak(t, yaml);
  assert.equal(await portico.ended(), 2);
  assert.match(portico.output.err, /^portico: admin\.address: cannot listen on /);
  await assert.rejects(httpGet(port, '/'), /ECONNREFUSED/);
});

test('an address of another machine ends it with code 2', async (t) => {
  const portico = await startAndSpeak(t, `listen: ["192.0.2.1:8080"]\nadmin: false\n${hello}`);
  assert.equal(await portico.ended(), 2);
  assert.match(portico.output.err, /192\.0\.2\.1 is no address of this machine/);
});

test('a host that does not resolve ends it with code 2', async (t) => {
  const portico = await startAndSpeak(t, `listen: ["no-such-host.invalid:8080"]\nadmin: false\n${hello}`);
  assert.equal(await portico.ended(), 2);
  assert.match(portico.output.err, /no-such-host\.invalid does not resolve/);
});

test('a privileged port without the privilege ends it with code 2 and the way out', async (t) => {
  const reason = whyPrivilegedPortsAreOpen();
  if (reason !== undefined) return t.skip(reason);
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const portico = await startAndSpeak(t, `listen: ["127.0.0.1:1"]\nadmin: false\n${hello}`, nobody);
  assert.equal(await portico.ended(), 2);
  assert.match(portico.output.err, /ports below 1024 need a privilege\. Choose a port from 1024 on, or .*setcap/);
});

test('mistakes in the configuration are all told with their place, and it ends with code 2', async (t) => {
  const yaml = 'listen: ["127.0.0.1:99999"]\nworkers: many\nsites: [{ routes: [{ path: /, respond: {} }] }]\n';
  const portico = await startAndSpeak(t, yaml);
  assert.equal(await portico.ended(), 2);
  assert.match(portico.output.err, /portico\.yaml:2:10: .*workers/);
  assert.equal(portico.output.out, '');
});

test('a SIGHUP during the start is obeyed after it', async (t) => {
  const portico = await startAndSpeak(t, `listen: ["127.0.0.1:0"]\nadmin: false\nworkers: 1\n${hello}`);
  await waitFor(() => portico.hasEnded || portico.workerPids().length === 1, 'the worker to be forked');
  portico.signal('SIGHUP');
  await portico.waitForError(/ready on .*configuration reloaded/s);
});

test('a signal during the start ends it cleanly', async (t) => {
  const portico = await startAndSpeak(t, `listen: ["127.0.0.1:0"]\nadmin: false\nworkers: 2\n${hello}`);
  await waitFor(() => portico.hasEnded || portico.workerPids().length === 2, 'the workers to be forked');
  const workers = portico.workerPids();
  portico.signal('SIGTERM');
  assert.equal(await portico.ended(), 0);
  await waitFor(() => workers.every(isGone), 'the workers to be gone');
});

function whyPrivilegedPortsAreOpen(): string | undefined {
  const first = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  return first <= 1 ? 'this machine lets every user bind every port' : undefined;
}

async function startAndSpeak(
  t: TestContext,
  yaml: string,
  options: PorticoProcessOptions = {},
): Promise<PorticoProcess> {
  const file = join(await temporaryFolder(t), 'portico.yaml');
  await writeFile(file, yaml);
  return spawnPortico(t, ['serve', '-c', file], options);
}

function spawnPortico(t: TestContext, args: string[], options: PorticoProcessOptions = {}): PorticoProcess {
  const portico = PorticoProcess.spawn(args, options);
  t.after(() => portico.stop());
  return portico;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-start-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  // mkdtemp makes it private; another user has to read the configuration in it.
  await chmod(folder, 0o755);
  return folder;
}

async function occupiedPort(t: TestContext): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function isGone(pid: number): boolean {
  try {
    return process.kill(pid, 0) && false;
  } catch {
    return true;
  }
}

function byNumber(a: number, b: number): number {
  return a - b;
}
