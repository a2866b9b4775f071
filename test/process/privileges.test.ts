import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { standInCertificate } from '../../src/acme/own-certificate.ts';
import { firstUnprivilegedPort } from '../../src/listener/unprivileged-ports.ts';
import { httpGet } from '../support/http-get.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { TestCertificates } from '../support/test-certificates.ts';
import { unixGet } from '../support/unix-get.ts';
import { waitFor } from '../support/wait-for.ts';

/** `nobody` of Debian; the number counts. */
const nobody = 65_534;
const user = `user: "${nobody}"\ngroup: "${nobody}"\n`;
const hello = `accessLog: false\n${user}sites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n`;
const skip = process.getuid?.() === 0 ? false : 'only root can become another user';
const skipLow = skip || (firstUnprivilegedPort() > 1000 ? false : 'this machine lets every user bind every port');

test('workers become the user for good, in every respect, and the primary stays root', { skip }, async (t) => {
  const portico = await RunningPortico.start(t, hello);
  assert.equal((await portico.get('/')).body, 'hello');
  assertAreUser(portico.process.workerPids());
  assert.match(statusOf(portico.process.pid), /^Uid:\t0\t0\t0\t0$/m);
});

test('ports of root alone are served by workers that are not root, over reloads, replacements and deaths', {
  skip: skipLow,
}, async (t) => {
  const [first, second] = [await freeLowPort(), await freeLowPort()];
  const low = { address: `127.0.0.1:${first}`, engine: 'uws' };
  const portico = await RunningPortico.start(t, hello, { moreListeners: [low] });
  assert.equal((await httpGet(first, '/')).body, 'hello');
  const before = portico.process.workerPids();

  await portico.rewrite(hello, { moreListeners: [low, { address: `127.0.0.1:${second}`, engine: 'node' }] });
  assert.equal(await portico.reload(), 'success');
  await waitFor(async () => (await portico.status()).lastRoll?.replaced === 2, 'the workers to be replaced');
  assert.equal((await httpGet(second, '/')).body, 'hello');
  assert.equal((await httpGet(first, '/')).body, 'hello');
  assert.ok(portico.process.workerPids().every((pid) => !before.includes(pid)));

  await killWorkers(portico);
  for (const port of [first, second, portico.port]) assert.equal((await httpGet(port, '/')).body, 'hello');
  assertAreUser(portico.process.workerPids());
});

test('a listener on a port of root alone that changes is served as before until its workers are replaced', {
  skip: skipLow,
}, async (t) => {
  const port = await freeLowPort();
  const portico = await RunningPortico.start(t, hello, {
    moreListeners: [{ address: `127.0.0.1:${port}`, engine: 'auto' }],
  });
  const asked = new AbortController();
  const client = (async () => {
    while (!asked.signal.aborted) assert.equal((await httpGet(port, '/')).body, 'hello');
  })();
  // Another listener, as far as that goes.
  await portico.rewrite(hello, { moreListeners: [{ address: `127.0.0.1:${port}`, engine: 'uws' }] });
  assert.equal(await portico.reload(), 'success');
  await waitFor(async () => (await portico.status()).lastRoll?.replaced === 2, 'the workers to be replaced');
  asked.abort();
  await client;
  assert.equal((await httpGet(port, '/')).body, 'hello');
});

test('keys that only root may read are served, and their successors too', { skip }, async (t) => {
  const folder = mkdtemp(t);
  const write = (name: string): void => {
    const { certificate, key } = standInCertificate([name], Date.now());
    writeFileSync(join(folder, 'site.key'), key, { mode: 0o600 });
    writeFileSync(join(folder, 'site.pem'), certificate, { mode: 0o600 });
  };
  write('first.example');
  const tls = { certificates: [{ certificate: join(folder, 'site.pem'), key: join(folder, 'site.key') }] };
  const portico = await RunningPortico.start(t, hello, { tls });
  assert.equal(await nameOf(portico.port), 'first.example');
  write('second.example');
  await waitFor(async () => (await nameOf(portico.port)) === 'second.example', 'the new certificate');
  await killWorkers(portico);
  assert.equal(await nameOf(portico.port), 'second.example');
});

test('a key for servers that only root may read is used, and its successor too', { skip }, async (t) => {
  const made = new TestCertificates();
  t.after(() => made.remove());
  const folder = mkdtemp(t);
  const write = (name: string): void => {
    const pair = made.make(name, [], { subject: `/CN=${name}` });
    writeFileSync(join(folder, 'client.key'), readFileSync(pair.key), { mode: 0o600 });
    writeFileSync(join(folder, 'client.pem'), readFileSync(pair.certificate), { mode: 0o600 });
  };
  write('first');
  const own = made.make('server', ['127.0.0.1']);
  const authority = readFileSync(made.authority);
  const tls = { cert: readFileSync(own.certificate), key: readFileSync(own.key), ca: authority, requestCert: true };
  const origin = createSecureServer(tls, (request, response) => {
    response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  writeFileSync(join(folder, 'authority.pem'), authority, { mode: 0o600 });
  const { port } = origin.address() as AddressInfo;
  const files = ['ca: authority.pem', 'certificate: client.pem', 'key: client.key'].map((entry) =>
    entry.replace(': ', `: ${folder}/`),
  );
  const yaml = `accessLog: false\n${user}upstreams:
  app: { servers: ["https://127.0.0.1:${port}"], tls: { ${files.join(', ')} } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]\n`;
  const portico = await RunningPortico.start(t, yaml);
  assertAreUser(portico.process.workerPids());
  for (let count = 0; count < 8; count++) assert.equal((await portico.get('/')).body, 'first');
  write('second');
  await waitFor(async () => (await portico.get('/')).body === 'second', 'the new certificate');
  await killWorkers(portico);
  assert.equal(await portico.reload(), 'success');
  for (let count = 0; count < 8; count++) assert.equal((await portico.get('/')).body, 'second');
});

test('logs are opened anew after logrotate where only root may make files', { skip }, async (t) => {
  const logs = mkdtemp(t);
  const log = join(logs, 'access.log');
  const portico = await RunningPortico.start(
    t,
    hello.replace('accessLog: false', `accessLog: { path: "${log}", flushInterval: 10ms }`),
  );
  await portico.get('/before');
  await waitFor(() => readFileSync(log, 'utf8').includes('/before'), 'the line before');
  assert.deepEqual([statSync(log).uid, statSync(log).mode & 0o777], [nobody, 0o640]);
  renameSync(log, `${log}.1`);
  portico.process.signal('SIGUSR2');
  await waitFor(async () => {
    await portico.get('/after');
    return statSync(log, { throwIfNoEntry: false }) !== undefined && readFileSync(log, 'utf8').includes('/after');
  }, 'the line after');
});

test('responses are stored by workers in a folder that root made, and found by the next ones', { skip }, async (t) => {
  let asked = 0;
  const origin = createServer((_request, response) => {
    asked += 1;
    response.setHeader('Cache-Control', 'max-age=600');
    response.end('stored');
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => origin.close());
  const { port } = origin.address() as AddressInfo;
  const cache = join(mkdtemp(t), 'cache');
  const yaml = `accessLog: false\n${user}caches: { default: { directory: "${cache}", memorySize: 0B } }
upstreams: { app: { servers: ["127.0.0.1:${port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: true }] }]\n`;
  const portico = await RunningPortico.start(t, yaml, { workers: 1 });
  await waitFor(async () => {
    await portico.get('/page');
    return (await portico.get('/page')).headers['cache-status']?.includes('hit') === true;
  }, 'the response to be stored');
  const before = asked;
  assert.ok(ownersIn(cache).every((uid) => uid === nobody || uid === 0));
  assert.ok(ownersIn(cache).includes(nobody));
  await killWorkers(portico);
  assert.equal((await portico.get('/page')).body, 'stored');
  assert.equal(asked, before);
});

test('large uploads are spooled, and a Unix socket is served, by workers that are not root', { skip }, async (t) => {
  const sizes: number[] = [];
  const origin = createServer((request, response) => {
    let size = 0;
    request.on('data', (chunk: Buffer) => (size += chunk.length));
    request.on('end', () => {
      sizes.push(size);
      response.end('taken');
    });
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => origin.close());
  const { port } = origin.address() as AddressInfo;
  const yaml = `accessLog: false\n${user}upstreams: { app: { servers: ["127.0.0.1:${port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]\n`;
  const portico = await RunningPortico.start(t, yaml, {
    moreListeners: [{ address: 'unix:./portico.sock', mode: '0600' }],
  });
  const answer = await fetch(`http://127.0.0.1:${portico.port}/`, {
    method: 'POST',
    body: Buffer.alloc(2 * 1024 ** 2),
  });
  assert.equal(await answer.text(), 'taken');
  assert.deepEqual(sizes, [2 * 1024 ** 2]);
  assert.equal((await unixGet(join(portico.folder, 'portico.sock'), '/')).body, 'taken');
});

test('a file that the user may not read is not served', { skip }, async (t) => {
  const root = mkdtemp(t);
  writeFileSync(join(root, 'secret.txt'), 'secret', { mode: 0o600 });
  writeFileSync(join(root, 'public.txt'), 'public', { mode: 0o644 });
  const portico = await RunningPortico.start(
    t,
    `accessLog: false\n${user}sites: [{ routes: [{ path: /, static: { root: "${root}" } }] }]\n`,
  );
  assert.equal((await portico.get('/public.txt')).body, 'public');
  const { status, body } = await portico.get('/secret.txt');
  assert.ok(status >= 400);
  assert.doesNotMatch(body, /^secret/);
});

test('a reload that names another user is refused', { skip }, async (t) => {
  const portico = await RunningPortico.start(t, hello);
  await portico.rewrite(hello.replaceAll(String(nobody), '65533'));
  assert.equal(await portico.reload(), 'failure');
  await portico.process.waitForError(/reload refused.*takes a restart/);
  assert.equal((await portico.get('/')).body, 'hello');
});

test('a spool folder that the user may not write into is a mistake', { skip }, async (t) => {
  const folder = mkdtemp(t);
  const file = join(folder, 'portico.yaml');
  writeFileSync(file, `listen: ["127.0.0.1:0"]\nadmin: false\nspool: { directory: "${folder}" }\n${hello}`);
  const portico = PorticoProcess.spawn(['serve', '-c', file]);
  t.after(() => portico.stop());
  assert.equal(await portico.ended(), 2);
  assert.match(portico.output.err, /spool\.directory: .*the user 65534 may not write into it/);
});

test('without root the user is ignored with a warning', { skip }, async (t) => {
  const folder = mkdtemp(t);
  const file = join(folder, 'portico.yaml');
  writeFileSync(file, `listen: ["127.0.0.1:0"]\nadmin: false\nworkers: 1\n${hello}`);
  const portico = PorticoProcess.spawn(['serve', '-c', file], { uid: 65_533, gid: 65_533, cwd: folder });
  t.after(() => portico.stop());
  await portico.waitForError(/user 65534 is ignored: only root may become another user/);
  await portico.waitForError(/ready on/);
});

/** Real, effective, saved and of the file system; no groups of root's, no capabilities. */
function assertAreUser(pids: readonly number[]): void {
  assert.ok(pids.length > 0);
  for (const pid of pids) {
    const status = statusOf(pid);
    assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
    assert.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m);
    assert.match(status, /^Groups:\t65534 ?$/m);
    assert.match(status, /^CapPrm:\t0{16}$/m);
    assert.match(status, /^CapEff:\t0{16}$/m);
  }
}

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}

function ownersIn(folder: string): number[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.map((name) => statSync(join(folder, name)).uid);
}

/** Kills all workers and waits for others in their places. */
async function killWorkers(portico: RunningPortico): Promise<void> {
  const killed = portico.process.workerPids();
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  await waitFor(async () => {
    const { workers } = await portico.status();
    return workers.every(({ phase, pid }) => phase === 'ready' && pid !== null && !killed.includes(pid));
  }, 'new workers');
}

function mkdtemp(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portico-privileges-'));
  // Searchable for everybody, writable for root.
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A port below 1024 that nobody listens on at this moment. */
async function freeLowPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 600 + Math.floor(Math.random() * 400);
    const server = createNetServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }
  throw new Error('no free port below 1024');
}

/** The name that the certificate on that port is for. */
function nameOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { subjectaltname = '' } = socket.getPeerCertificate();
      socket.destroy();
      resolve(subjectaltname.replace('DNS:', ''));
    });
    socket.on('error', reject);
  });
}
