import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import { type AdminServer, type AdminServerOptions, createAdminServer } from '../../../src/admin/admin-server.ts';
import { MetricAggregate } from '../../../src/metrics/aggregate.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { waitFor } from '../../support/wait-for.ts';

const local = { address: '127.0.0.1:0', host: '127.0.0.1', port: 0 };
const servers: AdminServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(options: Partial<AdminServerOptions> = {}): Promise<{ port: number; logger: RecordingLogger }> {
  const logger = new RecordingLogger();
  const aggregate = new MetricAggregate();
  aggregate.recorder.gauge(metricNames.workers, {}).set(2);
  const server = createAdminServer({
    aggregate,
    readiness: () => ({ ready: true, reason: 'serving' }),
    status: () => ({ version: '1.2.3' }),
    logger,
    ...options,
  });
  servers.push(server);
  return { port: await server.listen(local), logger };
}

async function ask(port: number, path: string, { method = 'GET', headers = {}, body = '' } = {}) {
  const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve).on('error', reject).end(body);
  });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** Sends raw bytes; gives what came until the server closed. */
function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  return text(socket);
}

test('metrics come in the format that the scraper asks for', async () => {
  const { port } = await start();
  const plain = await ask(port, '/metrics');
  assert.equal(plain.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(plain.body, /^portico_workers 2$/m);
  const open = await ask(port, '/metrics?x=1', { headers: { Accept: 'application/openmetrics-text;version=1.0.0' } });
  assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text/);
  assert.ok(open.body.endsWith('# EOF\n'));
});

test('health is 200 while the process lives, ready says whether traffic should come and why not', async () => {
  let ready = { ready: true, reason: 'serving' };
  const { port } = await start({ readiness: () => ready });
  assert.deepEqual(JSON.parse((await ask(port, '/ready')).body), ready);
  ready = { ready: false, reason: 'stopping' };
  const stopping = await ask(port, '/ready');
  assert.equal(stopping.status, 503);
  assert.deepEqual(JSON.parse(stopping.body), ready);
  assert.equal((await ask(port, '/health')).status, 200);
});

test('status is JSON and is not to be stored', async () => {
  const { port } = await start({ status: async () => ({ version: '1.2.3' }) });
  const { headers, body } = await ask(port, '/status');
  assert.deepEqual(JSON.parse(body), { version: '1.2.3' });
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.equal(headers['cache-control'], 'no-store');
});

test('the index links every endpoint', async () => {
  const { port } = await start();
  const { body, headers } = await ask(port, '/');
  assert.match(headers['content-type'] ?? '', /^text\/html/);
  for (const path of ['/metrics', '/health', '/ready', '/status']) {
    assert.ok(body.includes(`href="${path}"`));
    assert.equal((await ask(port, path)).status, 200);
  }
});

test('other paths are 404 and other methods 405, and a HEAD has no body', async () => {
  const { port } = await start();
  for (const path of ['/etc/passwd', '/metrics/', '//metrics', '/Metrics', '/__proto__', '/constructor', '/%2e%2e/x']) {
    assert.equal((await ask(port, path)).status, 404, path);
  }
  const post = await ask(port, '/metrics', { method: 'POST', body: 'x'.repeat(100_000) });
  assert.equal(post.status, 405);
  assert.equal(post.headers.allow, 'GET, HEAD');
  assert.equal(post.headers.connection, 'close');
  const head = await ask(port, '/status', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
  assert.ok(Number(head.headers['content-length']) > 0);
});

test('an answer that cannot be made is a 500 without details, and the log has them', async () => {
  const { port, logger } = await start({
    status: () => Promise.reject(new Error('secret path')),
    aggregate: { render: () => Promise.reject(new Error('broken')) },
  });
  for (const path of ['/status', '/metrics']) {
    const { status, body } = await ask(port, path);
    assert.equal(status, 500);
    assert.ok(!body.includes('secret'));
  }
  assert.equal(logger.messages('error').length, 2);
  assert.equal((await ask(port, '/health')).status, 200);
});

test('what is not HTTP is refused and does no harm', async () => {
  const { port } = await start();
  for (const bytes of [
    'GARBAGE\r\n\r\n',
    '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
    `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    assert.match(await raw(port, bytes), /^HTTP\/1\.1 4\d\d /);
  }
  assert.equal((await ask(port, '/health')).status, 200);
});

test('a body is never taken for the next request', async () => {
  const { port } = await start();
  const hidden = 'GET /status HTTP/1.1\r\nHost: a\r\n\r\n';
  const answer = await raw(
    port,
    `GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  );
  assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1);
});

test('connections are bounded, and closing cuts those that are open', { timeout: 20_000 }, async () => {
  const { port } = await start();
  const sockets: Socket[] = [];
  let closed = 0;
  for (let index = 0; index < 80; index += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => (closed += 1));
    sockets.push(socket);
  }
  await waitFor(() => closed === 16, 'the connections beyond the bound to be closed');
  await servers[0]?.close();
  await waitFor(() => closed === 80, 'the others to be closed');
});

test('it may listen again after closing, and a taken address is an error', async () => {
  const { port } = await start();
  const [server] = servers;
  const other = createAdminServer({
    aggregate: new MetricAggregate(),
    readiness: () => ({ ready: true, reason: '' }),
    status: () => ({}),
    logger: new RecordingLogger(),
  });
  await assert.rejects(other.listen({ address: 'x', host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
  await server?.close();
  assert.equal(await server?.listen({ address: 'x', host: '127.0.0.1', port }), port);
  assert.equal((await ask(port, '/health')).status, 200);
});
