import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketClient } from '../../support/websocket-client.ts';
import { WebSocketOrigin } from '../../support/websocket-origin.ts';

const handshake =
  'GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

test('an idle WebSocket whose sides answer pings stays open', async () => {
  let pings = 0;
  const origin = await WebSocketOrigin.start({
    onWebSocket: (socket) => {
      socket.on('ping', () => pings++);
      socket.on('message', (data) => socket.send(data));
    },
  });
  const worker = await startProxyWorker([origin.url], 'webSocket: { idleTimeout: 1s }');
  const client = await WebSocketClient.open(worker.port);
  try {
    // Three half timeouts and more: without the answers it would be closed by then.
    await waitFor(() => client.pings >= 4 && pings >= 4, 'pings to both sides');
    assert.equal(await client.ask('alive'), 'alive');
  } finally {
    client.terminate();
    await worker.close();
    await origin.close();
  }
});

test('a client that answers no ping is given up, and the application told', async () => {
  const origin = await WebSocketOrigin.start();
  const worker = await startProxyWorker([origin.url], 'webSocket: { idleTimeout: 1s }');
  const client = await RawClient.connect(worker.port);
  try {
    client.send(handshake);
    await waitFor(() => origin.sockets.length === 1, 'the WebSocket');
    await client.closed();
    await waitFor(() => origin.closes.length === 1, 'the end at the application');
    assert.deepEqual(origin.closes, [{ code: 1001, reason: '' }]);
  } finally {
    client.destroy();
    await worker.close();
    await origin.close();
  }
});

test('an application that answers no ping is given up, and the client told', async () => {
  const origin = await WebSocketOrigin.start({ onWebSocket: (socket) => socket.pause() });
  const worker = await startProxyWorker([origin.url], 'webSocket: { idleTimeout: 1s }');
  const client = await WebSocketClient.open(worker.port);
  try {
    assert.deepEqual(await client.whenClosed(), { code: 1011, reason: 'the application went away' });
  } finally {
    client.terminate();
    await worker.close();
    await origin.close();
  }
});
