import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { InProcessWorker } from '../../support/in-process-worker.ts';
import { proxyYaml, startProxyWorker } from '../../support/proxied-websockets.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketClient } from '../../support/websocket-client.ts';
import { WebSocketOrigin } from '../../support/websocket-origin.ts';

describe('the end of a WebSocket', () => {
  let origin: WebSocketOrigin;
  let worker: InProcessWorker;
  let client: WebSocketClient | undefined;

  before(async () => {
    origin = await WebSocketOrigin.start();
    worker = await startProxyWorker([origin.url], 'webSocket: { maxMessage: 64KB }');
  });

  afterEach(() => {
    client?.terminate();
    origin.closes.length = 0;
  });

  after(async () => {
    await worker.close();
    await origin.close();
  });

  async function open(): Promise<WebSocketClient> {
    client = await WebSocketClient.open(worker.port);
    assert.equal(await client.ask('ready'), 'ready');
    return client;
  }

  async function originClose(): Promise<unknown> {
    await waitFor(() => origin.closes.length > 0, 'the end at the application');
    return origin.closes[0];
  }

  for (const [code, reason] of [
    [1000, ''],
    [1001, 'leaving'],
    [1011, 'r'.repeat(123)],
    [4000, 'library'],
    [4999, 'grün'],
  ] as const) {
    test(`${code} ${reason.slice(0, 10)} of the client reaches the application`, async () => {
      (await open()).socket.close(code, reason);
      assert.deepEqual(await originClose(), { code, reason });
      assert.deepEqual(await client?.whenClosed(), { code, reason });
    });

    test(`${code} ${reason.slice(0, 10)} of the application reaches the client`, async () => {
      const { whenClosed } = await open();
      origin.sockets.at(-1)?.close(code, reason);
      assert.deepEqual(await whenClosed.call(client), { code, reason });
      assert.deepEqual(await originClose(), { code, reason });
    });
  }

  test('a code of a library reaches the client, but the application sees none: the engine does not know it', async () => {
    await open();
    origin.sockets.at(-1)?.close(3000, 'library');
    assert.deepEqual(await client?.whenClosed(), { code: 3000, reason: 'library' });
    await originClose();
    origin.closes.length = 0;
    (await open()).socket.close(3000, 'library');
    assert.deepEqual(await originClose(), { code: 1005, reason: '' });
  });

  test('without a code it stays without one, from either side', async () => {
    (await open()).socket.close();
    assert.deepEqual(await originClose(), { code: 1005, reason: '' });
    origin.closes.length = 0;
    await open();
    origin.sockets.at(-1)?.close();
    assert.deepEqual(await client?.whenClosed(), { code: 1005, reason: '' });
  });

  test('a client that is cut off is cut off at the application too', async () => {
    (await open()).terminate();
    assert.deepEqual(await originClose(), { code: 1006, reason: '' });
  });

  test('an application that is cut off is told to the client as 1011', async () => {
    await open();
    origin.kill();
    assert.deepEqual(await client?.whenClosed(), { code: 1011, reason: 'the application went away' });
  });

  test('an application that sends a reserved frame is told to the client as 1011', async () => {
    await open();
    const { _socket: connection } = origin.sockets.at(-1) as unknown as { _socket: { write(bytes: Buffer): void } };
    connection.write(Buffer.from([0x83, 0x01, 0x41]));
    assert.equal((await client?.whenClosed())?.code, 1011);
  });

  test('a message of the client that is too large is 1009 for it, and 1001 for the application', async () => {
    const { socket } = await open();
    socket.send(Buffer.alloc(64 * 1024));
    assert.equal((await client?.next())?.data.length, 64 * 1024);
    socket.send(Buffer.alloc(64 * 1024 + 1));
    assert.deepEqual(await client?.whenClosed(), { code: 1009, reason: 'message too large' });
    assert.deepEqual(await originClose(), { code: 1001, reason: '' });
  });

  test('fragments that are too large together are 1009 as well', async () => {
    const { socket } = await open();
    for (let index = 0; index < 5; index++) socket.send(Buffer.alloc(16 * 1024), { fin: index === 4 });
    assert.equal((await client?.whenClosed())?.code, 1009);
  });

  test('a message far too large is cut off before it is read', async () => {
    const { socket } = await open();
    socket.send(Buffer.alloc(8 * 1024 ** 2));
    assert.equal((await client?.whenClosed())?.code, 1006);
    assert.deepEqual(await originClose(), { code: 1006, reason: '' });
  });

  test('a message of the application that is too large is 1009 for both', async () => {
    await open();
    origin.sockets.at(-1)?.send(Buffer.alloc(64 * 1024 + 1));
    assert.deepEqual(await client?.whenClosed(), { code: 1009, reason: 'message too large' });
    assert.equal(((await originClose()) as { code: number }).code, 1009);
  });
});

test('a WebSocket lives on over reloads, even of one that takes its route away', async () => {
  const origin = await WebSocketOrigin.start();
  const other = await WebSocketOrigin.start();
  const worker = await startProxyWorker([origin.url]);
  try {
    const client = await WebSocketClient.open(worker.port);
    assert.equal(await client.ask('before'), 'before');
    await worker.reload(proxyYaml([other.url]));
    assert.equal(await client.ask('after'), 'after');
    const second = await WebSocketClient.open(worker.port);
    assert.equal(await second.ask('second'), 'second');
    assert.equal(other.requests.length, 1);
    await worker.reload('sites:\n  - routes:\n      - path: /\n        respond: { body: gone }\n');
    assert.equal(await client.ask('still'), 'still');
    client.terminate();
    second.terminate();
    await waitFor(() => origin.open === 0 && other.open === 0, 'the end of the connections to the applications');
  } finally {
    await worker.close();
    await origin.close();
    await other.close();
  }
});

test('a reload to larger messages holds for new WebSockets, and loses none of the old ones', async () => {
  const origin = await WebSocketOrigin.start();
  const worker = await startProxyWorker([origin.url]);
  try {
    const before = await WebSocketClient.open(worker.port);
    await worker.reload(proxyYaml([origin.url], 'webSocket: { maxMessage: 16MB }'));
    assert.equal(await before.ask('still here'), 'still here');
    const later = await WebSocketClient.open(worker.port);
    later.socket.send(Buffer.alloc(8 * 1024 ** 2, 7));
    assert.equal((await later.next()).data.length, 8 * 1024 ** 2);
    before.terminate();
    later.terminate();
  } finally {
    await worker.close();
    await origin.close();
  }
});

test('a worker that drains closes its WebSockets with 1001, to both sides', async () => {
  const origin = await WebSocketOrigin.start();
  const worker = await startProxyWorker([origin.url]);
  const clients = await Promise.all([1, 2, 3].map(() => WebSocketClient.open(worker.port)));
  try {
    for (const client of clients) assert.equal(await client.ask('x'), 'x');
    await worker.close();
    for (const client of clients) assert.equal((await client.whenClosed()).code, 1001);
    await waitFor(() => origin.closes.length === 3, 'the ends at the application');
    assert.deepEqual(
      origin.closes.map(({ code }) => code),
      [1001, 1001, 1001],
    );
  } finally {
    await origin.close();
  }
});
