import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PorticoProcess } from '../support/portico-process.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { unixGet } from '../support/unix-get.ts';
import { waitFor } from '../support/wait-for.ts';

const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';
const listener = { address: 'unix:./portico.sock' };

test('clients on a Unix socket are served, and its file has the mode that the configuration says', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [{ ...listener, mode: '0606' }] });
  const path = join(portico.folder, 'portico.sock');
  const { status, body } = await unixGet(path, '/');
  assert.deepEqual([status, body], [200, 'hello']);
  assert.equal(statSync(path).mode & 0o777, 0o606);
});

test('only its owner and group may connect to a Unix socket unless the configuration says otherwise', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener] });
  assert.equal(statSync(join(portico.folder, 'portico.sock')).mode & 0o777, 0o660);
  await portico.process.waitForError(/ready on \S+ unix:\S+portico\.sock /);
});

test('a request on a Unix socket waits for the next worker when all have died', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener], workers: 1 });
  const path = join(portico.folder, 'portico.sock');
  const [pid = 0] = portico.process.workerPids();
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !portico.process.workerPids().includes(pid), 'the worker to be gone');
  assert.equal((await unixGet(path, '/')).body, 'hello');
});

test('no connection to a Unix socket is refused while workers are replaced and the configuration is reloaded', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener] });
  const path = join(portico.folder, 'portico.sock');
  const asked = new AbortController();
  let answered = 0;
  const clients = Array.from({ length: 4 }, async () => {
    while (!asked.signal.aborted) {
      assert.equal((await unixGet(path, '/')).body, 'hello');
      answered += 1;
    }
  });
  assert.equal(await portico.reload(), 'success');
  const { status } = await fetch(`http://127.0.0.1:${portico.adminPort}/workers/roll`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
  });
  assert.equal(status, 202);
  await waitFor(async () => (await portico.status()).lastRoll?.replaced === 2, 'the workers to be replaced');
  asked.abort();
  await Promise.all(clients);
  assert.ok(answered > 4);
});

test('a reload opens further Unix sockets, changes who may connect, and removes what is gone', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener, { address: 'unix:./gone.sock' }] });
  const path = (name: string): string => join(portico.folder, name);
  await portico.rewrite(hello, { moreListeners: [{ ...listener, mode: '0600' }, { address: 'unix:./new.sock' }] });
  assert.equal(await portico.reload(), 'success');
  assert.equal((await unixGet(path('new.sock'), '/')).body, 'hello');
  assert.equal((await unixGet(path('portico.sock'), '/')).body, 'hello');
  assert.equal(statSync(path('portico.sock')).mode & 0o777, 0o600);
  assert.ok(!existsSync(path('gone.sock')));
});

test('a reload with a Unix socket that cannot be opened is refused, and what it would have opened is removed', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener] });
  const missing = { address: 'unix:./no-such-folder/portico.sock' };
  await portico.rewrite(hello, { moreListeners: [listener, { address: 'unix:./new.sock' }, missing] });
  assert.equal(await portico.reload(), 'failure');
  await portico.process.waitForError(/reload refused.*no such folder/);
  assert.ok(!existsSync(join(portico.folder, 'new.sock')));
  assert.equal((await unixGet(join(portico.folder, 'portico.sock'), '/')).body, 'hello');
});

test('connections beyond the limit are closed at once, and those that are there go on', async (t) => {
  const portico = await RunningPortico.start(t, `limits: { connections: 2 }\n${hello}`, {
    moreListeners: [listener],
    workers: 1,
  });
  const path = join(portico.folder, 'portico.sock');
  const held = [connect(path), connect(path)];
  t.after(() => held.forEach((socket) => socket.destroy()));
  await waitFor(async () => (await portico.metric('portico_connections_open')) >= 2, 'both connections');
  const answers: string[] = [];
  for (let attempt = 0; attempt < 5; attempt++) answers.push(await raw(path, ''));
  assert.deepEqual(answers, ['', '', '', '', '']);
  assert.equal(await portico.metric('portico_connections_refused_total', 'reason="connections"'), 5);
  const [first] = held;
  first?.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  let answer = '';
  first?.on('data', (chunk) => (answer += chunk.toString()));
  await waitFor(() => answer.endsWith('hello'), 'an answer');
  assert.doesNotMatch(portico.process.output.err, /uncaught/);
});

test('a response that cannot be completed is cut on a Unix socket too, and harms nobody else', async (t) => {
  const origin = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Length': '1000' });
    response.write('half', () => response.destroy());
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => origin.close());
  const { port } = origin.address() as AddressInfo;
  const yaml = `accessLog: false
upstreams: { app: { servers: ["127.0.0.1:${port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app, buffering: false } }] }]\n`;
  const portico = await RunningPortico.start(t, yaml, { moreListeners: [listener], workers: 1 });
  const path = join(portico.folder, 'portico.sock');
  for (let attempt = 0; attempt < 3; attempt++) await assert.rejects(unixGet(path, '/'));
  assert.doesNotMatch(portico.process.output.err, /uncaught/);
});

test('the file is removed at the end', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener] });
  assert.equal(await portico.process.stop(), 0);
  assert.ok(!existsSync(join(portico.folder, 'portico.sock')));
});

test('a socket file that a dead process left is taken over', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener] });
  const path = join(portico.folder, 'portico.sock');
  const workers = portico.process.workerPids();
  portico.process.signal('SIGKILL');
  for (const pid of workers) process.kill(pid, 'SIGKILL');
  await waitFor(() => portico.process.hasEnded, 'its end');
  await waitFor(() => isRefused(path), 'nobody to listen behind the file');
  const second = await PorticoProcess.serve(join(portico.folder, 'portico.yaml'), portico.adminPort, {
    cwd: portico.folder,
  });
  t.after(() => second.stop());
  assert.equal((await unixGet(path, '/')).body, 'hello');
});

test('a socket that somebody listens on ends it with code 2, and stays', async (t) => {
  const portico = await RunningPortico.start(t, hello, { moreListeners: [listener] });
  const path = join(portico.folder, 'portico.sock');
  const second = spawn(t, ['serve', '--listen', `unix:${path}`, '--static', `/=${portico.folder}`, '--admin', 'off']);
  assert.equal(await second.ended(), 2);
  assert.match(
    second.output.err,
    /^portico: listen: cannot listen on unix:.*: somebody listens there \(another Portico/,
  );
  assert.equal((await unixGet(path, '/')).body, 'hello');
});

test('a file that is no socket ends it with code 2, and stays', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  const path = join(portico.folder, 'precious');
  writeFileSync(path, 'precious');
  const second = spawn(t, ['serve', '--listen', `unix:${path}`, '--static', `/=${portico.folder}`, '--admin', 'off']);
  assert.equal(await second.ended(), 2);
  assert.match(second.output.err, /a file that is no socket is there/);
  assert.ok(existsSync(path));
});

test('a proxy on a Unix socket is believed where trustedProxies has unix, and nowhere else', async (t) => {
  const origin = createServer(({ headers }, response) => {
    response.end(JSON.stringify([headers['x-forwarded-for'], headers['x-real-ip'], headers['x-forwarded-port']]));
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => origin.close());
  const { port } = origin.address() as AddressInfo;
  const proxied = `accessLog: false
upstreams: { app: { servers: ["127.0.0.1:${port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]\n`;
  const portico = await RunningPortico.start(t, proxied, { moreListeners: [listener], workers: 1 });
  const path = join(portico.folder, 'portico.sock');
  const claims = { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' };
  assert.equal((await unixGet(path, '/', claims)).body, '[null,null,"80"]');
  await portico.rewrite(`trustedProxies: [unix]\n${proxied}`, { moreListeners: [listener], workers: 1 });
  assert.equal(await portico.reload(), 'success');
  assert.equal((await unixGet(path, '/', claims)).body, '["203.0.113.7","203.0.113.7","443"]');
});

test('the PROXY protocol on a Unix socket says who the client is', async (t) => {
  const yaml =
    'accessLog: { format: json, flushInterval: 10ms }\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';
  const portico = await RunningPortico.start(t, yaml, { moreListeners: [{ ...listener, proxyProtocol: ['unix'] }] });
  const path = join(portico.folder, 'portico.sock');
  const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4000 443\r\n';
  assert.match(await raw(path, `${header}GET / HTTP/1.0\r\nHost: a\r\n\r\n`), /hello$/);
  await waitFor(() => portico.process.output.out.includes('203.0.113.9'), 'the access log to name the client');
  assert.equal(await raw(path, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'), '');
});

function spawn(t: TestContext, args: readonly string[]): PorticoProcess {
  const portico = PorticoProcess.spawn(args);
  t.after(() => portico.stop());
  return portico;
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

/** Everything that comes back. */
function raw(path: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path, () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}
