import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { InProcessWorker } from '../../support/in-process-worker.ts';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketClient } from '../../support/websocket-client.ts';
import { WebSocketOrigin } from '../../support/websocket-origin.ts';

describe('a WebSocket through a worker', () => {
  let origin: WebSocketOrigin;
  let worker: InProcessWorker;
  const clients: WebSocketClient[] = [];

  before(async () => {
    origin = await WebSocketOrigin.start({
      fields: ['Set-Cookie: session=1; Path=/', 'Set-Cookie: theme=dark', 'X-App: yes'],
      chooseProtocol: (offered) => (offered.includes('none') ? false : (offered.at(-1) ?? false)),
    });
    worker = await startProxyWorker([origin.url]);
  });

  after(async () => {
    for (const client of clients) client.terminate();
    await worker.close();
    await origin.close();
  });

  async function open(...args: Parameters<typeof WebSocketClient.open> extends [number, ...infer R] ? R : never) {
    const client = await WebSocketClient.open(worker.port, ...args);
    clients.push(client);
    return client;
  }

  test('carries text and binary messages both ways, unchanged', async () => {
    const client = await open();
    for (const message of ['', 'x', 'grün ∑ 🙂', 'long '.repeat(20_000)])
      assert.equal(await client.ask(message), message);
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 1024 ** 2]) {
      const bytes = Buffer.alloc(size, 'abcdefg');
      client.socket.send(bytes);
      const { data, binary } = await client.next();
      assert.equal(binary, true);
      assert.equal(data.equals(bytes), true, `${size} bytes`);
    }
  });

  test('keeps the order of many messages', async () => {
    const client = await open();
    for (let index = 0; index < 2000; index++) client.socket.send(String(index));
    for (let index = 0; index < 2000; index++) assert.equal((await client.next()).data.toString(), String(index));
  });

  test('makes whole messages of fragments, from either side', async () => {
    const client = await open();
    client.socket.send('one ', { fin: false });
    client.socket.send('two ', { fin: false });
    client.socket.send('three', { fin: true });
    assert.equal((await client.next()).data.toString(), 'one two three');
    const socket = origin.sockets.at(-1);
    socket?.send(Buffer.from('a'), { fin: false, binary: true });
    socket?.send(Buffer.from('b'), { fin: true });
    const { data, binary } = await client.next();
    assert.equal(data.toString(), 'ab');
    assert.equal(binary, true);
  });

  test('answers the pings of both sides', async () => {
    const client = await open();
    client.socket.ping('from the client');
    await waitFor(() => client.pongs.length > 0, 'a pong for the client');
    assert.deepEqual(client.pongs, ['from the client']);
    const pongs: string[] = [];
    const socket = origin.sockets.at(-1);
    socket?.on('pong', (data) => void pongs.push(data.toString()));
    socket?.ping('from the application');
    await waitFor(() => pongs.length > 0, 'a pong for the application');
    assert.deepEqual(pongs, ['from the application']);
  });

  test('tells the application who asked, and what for', async () => {
    await open('/chat/%7Eroom/../x?a=1&b=%20', ['chat', 'superchat'], {
      headers: {
        Cookie: 'sessionid=abc',
        Origin: 'https://example.com',
        'X-Forwarded-For': '6.6.6.6',
        X_Real_IP: '6.6.6.6',
      },
    });
    const request = origin.requests.at(-1);
    // The client's library resolves dot segments before it sends.
    assert.equal(request?.url, '/chat/x?a=1&b=%20');
    const fields = request?.headers ?? {};
    assert.equal(fields.host, `127.0.0.1:${worker.port}`);
    assert.equal(fields.cookie, 'sessionid=abc');
    assert.equal(fields.origin, 'https://example.com');
    assert.equal(fields['x-forwarded-for'], '127.0.0.1');
    assert.equal(fields['x-real-ip'], '127.0.0.1');
    assert.equal(fields['x-forwarded-proto'], 'http');
    assert.match(String(fields['x-request-id']), /^[0-9a-f]{32}$/);
    assert.equal(fields['sec-websocket-protocol'], 'chat,superchat');
    assert.equal(fields['sec-websocket-version'], '13');
    assert.equal(fields['sec-websocket-extensions'], undefined);
  });

  test('gives the client what the application answered: subprotocol, cookies, fields', async () => {
    const client = await open('/', ['chat', 'superchat']);
    assert.equal(client.socket.protocol, 'superchat');
    assert.deepEqual(client.fields['set-cookie'], ['session=1; Path=/', 'theme=dark']);
    assert.equal(client.fields['x-app'], 'yes');
    assert.match(String(client.fields['x-request-id']), /^[0-9a-f]{32}$/);
    assert.equal(client.fields['sec-websocket-extensions'], undefined);
  });

  test('leaves it to the client what to think of an application that takes no subprotocol', async () => {
    await assert.rejects(open('/', ['none']), /Server sent no subprotocol/);
    await waitFor(() => origin.closes.length > 0, 'the end at the application');
  });

  test('over a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portico-ws-'));
    const unix = await WebSocketOrigin.start({ socketPath: join(folder, 'app.sock') });
    const other = await startProxyWorker([unix.url]);
    try {
      const client = await WebSocketClient.open(other.port);
      assert.equal(await client.ask('hello'), 'hello');
      client.socket.close(1000);
      assert.equal((await client.whenClosed()).code, 1000);
    } finally {
      await other.close();
      await unix.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
