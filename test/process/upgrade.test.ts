import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { controlRequest } from '../support/control-request.ts';
import { ensureDebianPackage } from '../support/debian-package.ts';
import type { RawClient } from '../support/raw-client.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { TunnelOrigin } from '../support/tunnel-origin.ts';
import { upgraded } from '../support/upgrading-worker.ts';
import { waitFor } from '../support/wait-for.ts';

const run = promisify(execFile);
const programs = resolve(import.meta.dirname, '../fixtures/upgrade');
const python = '/usr/bin/python3';

function configuration(server: string, protocol = 'tcp', further = ''): string {
  return [
    'accessLog: { path: access.log, format: json }',
    'shutdownTimeout: 20s',
    'upstreams:',
    `  app: { servers: [${JSON.stringify(server)}] }`,
    'sites:',
    '  - routes:',
    '      - path: /',
    `        proxy: { upstream: app, upgrade: { protocols: [${protocol}] }${further} }`,
    '',
  ].join('\n');
}

async function start(t: TestContext): Promise<{ portico: RunningPortico; origin: TunnelOrigin }> {
  const origin = await TunnelOrigin.start();
  t.after(() => origin.close());
  return { origin, portico: await RunningPortico.start(t, configuration(origin.url)) };
}

async function ask(client: RawClient, text: string): Promise<void> {
  client.send(text);
  const before = client.pending.length;
  await client.receivedAtLeast(before + text.length);
  assert.equal(client.pending.toString().slice(before), text);
}

async function logged(portico: RunningPortico): Promise<Record<string, unknown>[]> {
  let lines: Record<string, unknown>[] = [];
  await waitFor(async () => {
    const log = await readFile(join(portico.folder, 'access.log'), 'utf8').catch(() => '');
    lines = log.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
    return lines.length > 0;
  }, 'the line of the access log');
  return lines;
}

test('SIGTERM cuts every tunnel, on both sides, and ends soon', async (t) => {
  const { portico, origin } = await start(t);
  const tunnels = await Promise.all(Array.from({ length: 8 }, () => upgraded(portico.port)));
  for (const { client, response } of tunnels) {
    assert.equal(response.status, 101);
    await ask(client, 'here');
  }
  portico.process.signal('SIGTERM');
  for (const { client } of tunnels) {
    await client.closed();
    assert.equal(client.errorCode, 'ECONNRESET');
  }
  assert.equal(await portico.process.ended(), 0);
  await waitFor(() => origin.open === 0, 'the ends at the application');
  const lines = await logged(portico);
  assert.equal(lines.length, 8);
  for (const line of lines)
    assert.deepEqual([line['tunnel_closed_by'], line['tunnel_close_reason']], ['portico', 'stop']);
});

test('SIGHUP leaves tunnels alone, and their end is counted and logged', async (t) => {
  const { portico } = await start(t);
  const { client } = await upgraded(portico.port);
  await ask(client, 'before');
  await portico.rewrite(configuration('127.0.0.1:1'));
  assert.equal(await portico.reload(), 'success');
  await ask(client, 'after');
  await waitFor(async () => (await portico.metric('portico_tunnels_open')) === 1, 'the gauge to say 1');
  assert.equal(await portico.metric('portico_http_requests_in_flight'), 0);
  client.halfClose();
  await client.closed();
  await waitFor(async () => (await portico.metric('portico_tunnel_closes_total')) === 1, 'the end to be counted');
  assert.equal(await portico.metric('portico_tunnels_open'), 0);
  assert.equal(await portico.metric('portico_tunnel_bytes_total'), 2 * 'beforeafter'.length);
  const [line] = await logged(portico);
  assert.equal(line?.['status'], 101);
  assert.equal(line?.['bytes'], 11);
  assert.equal(line?.['tunnel_protocol'], 'tcp');
  assert.equal(line?.['tunnel_bytes_in'], 11);
  assert.equal(line?.['tunnel_closed_by'], 'client');
  assert.equal(line?.['tunnel_close_reason'], 'end');
  assert.equal(line?.['upstream_status'], 101);
});

test('a worker that is replaced keeps its tunnels until shortly before the end of its time', async (t) => {
  const origin = await TunnelOrigin.start();
  t.after(() => origin.close());
  const yaml = configuration(origin.url).replace('shutdownTimeout: 20s', 'shutdownTimeout: 4s');
  const portico = await RunningPortico.start(t, yaml, { workers: 1 });
  const { client } = await upgraded(portico.port);
  const [former] = portico.process.workerPids();
  assert.equal((await controlRequest(portico.adminPort, '/workers/roll')).status, 202);
  await waitFor(() => portico.process.workerPids().some((pid) => pid !== former), 'the successor');
  await ask(client, 'still here');
  await client.closed();
  assert.equal(client.errorCode, 'ECONNRESET');
  await waitFor(async () => (await portico.status()).lastRoll?.replaced === 1, 'the end of the roll');
  assert.equal((await portico.status()).lastRoll?.cut, 0);
  const successor = await upgraded(portico.port);
  assert.equal(successor.response.status, 101);
  successor.client.destroy();
});

const skip = ensureDebianPackage('python3', python) ?? false;

test('http.client and http.server of Python speak a protocol of their own through Portico', { skip }, async (t) => {
  const server = spawn(python, [join(programs, 'server.py')], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => server.kill());
  const [firstLine] = (await once(server.stdout, 'data')) as [Buffer];
  const portico = await RunningPortico.start(t, configuration(`127.0.0.1:${Number(firstLine)}`, 'lines/1'));
  const { stdout } = await run(python, [join(programs, 'client.py'), String(portico.port), '1000']);
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['101 lines/1', 'hello python']);
  assert.deepEqual(
    lines.slice(2, -1),
    Array.from({ length: 1000 }, (_, number) => `LINE ${number}`),
  );
  assert.equal(lines.at(-1), 'bye');
});
