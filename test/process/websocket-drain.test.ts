import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { proxyYaml } from '../support/proxied-websockets.ts';
import { waitFor } from '../support/wait-for.ts';
import { WebSocketClient } from '../support/websocket-client.ts';
import { WebSocketOrigin } from '../support/websocket-origin.ts';

let origin: WebSocketOrigin;
let folder: string;
let portico: PorticoProcess;
let port: number;
let adminPort: number;

before(async () => {
  origin = await WebSocketOrigin.start();
  folder = await mkdtemp(join(tmpdir(), 'portico-websocket-'));
});

beforeEach(async () => {
  [port, adminPort] = [await freePort(), await freePort()];
  origin.closes.length = 0;
  await configure(proxyYaml([origin.url]));
  portico = await PorticoProcess.serve(join(folder, 'portico.yaml'), adminPort);
});

afterEach(() => portico.stop());

after(async () => {
  await origin.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

function configure(yaml: string): Promise<void> {
  const head = `listen: ["127.0.0.1:${port}"]\nadmin: { address: "127.0.0.1:${adminPort}" }\nworkers: 2\naccessLog: { path: ${join(folder, 'access.log')}, format: json }\n`;
  return writeFile(join(folder, 'portico.yaml'), head + yaml);
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

test('SIGTERM closes every WebSocket with 1001, to both sides, and ends soon', async () => {
  const clients = await Promise.all(Array.from({ length: 8 }, () => WebSocketClient.open(port)));
  for (const client of clients) assert.equal(await client.ask('here'), 'here');
  portico.signal('SIGTERM');
  for (const client of clients) assert.equal((await client.whenClosed()).code, 1001);
  assert.equal(await portico.ended(), 0);
  await waitFor(() => origin.closes.length === 8, 'the ends at the application');
  assert.ok(origin.closes.every(({ code }) => code === 1001));
});

test('a client that does not answer the close frame does not hold the end up', async () => {
  const client = await WebSocketClient.open(port);
  client.socket.pause();
  portico.signal('SIGTERM');
  assert.equal(await portico.ended(), 0);
  client.terminate();
});

test('SIGHUP leaves WebSockets alone, and their end is counted and logged', async () => {
  const client = await WebSocketClient.open(port, '/room');
  assert.equal(await client.ask('before'), 'before');
  await configure(proxyYaml([origin.url], 'forwarded: true'));
  portico.signal('SIGHUP');
  await waitFor(async () => {
    const newer = await WebSocketClient.open(port);
    newer.terminate();
    return origin.requests.at(-1)?.headers.forwarded !== undefined;
  }, 'the new configuration');
  assert.equal(await client.ask('after'), 'after');
  await waitFor(async () => (await metric('portico_websockets_open')) === 1, 'the gauge to say 1');
  client.socket.send(Buffer.alloc(1000));
  await client.next();
  client.socket.close(4000, 'done');
  await client.whenClosed();
  await waitFor(async () => (await metric('portico_websockets_open')) === 0, 'the gauge to say 0');
  await waitFor(async () => (await metric('portico_websocket_messages_total')) === 6, 'the messages');
  assert.equal(await metric('portico_websocket_message_bytes_total'), 2 * (6 + 5 + 1000));
  assert.equal(await metric('portico_http_requests_in_flight'), 0);
  let line: Record<string, unknown> | undefined;
  await waitFor(async () => {
    const log = await readFile(join(folder, 'access.log'), 'utf8');
    const found = log.split('\n').find((text) => text.includes('"/room"'));
    line = found === undefined ? undefined : (JSON.parse(found) as Record<string, unknown>);
    return line !== undefined;
  }, 'the line of the access log');
  assert.equal(line?.['status'], 101);
  assert.equal(line?.['bytes'], 1011);
  assert.equal(line?.['ws_messages_in'], 3);
  assert.equal(line?.['ws_close_code'], 4000);
  assert.equal(line?.['ws_closed_by'], 'client');
});
