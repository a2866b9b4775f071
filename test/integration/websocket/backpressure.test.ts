import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WebSocket } from 'ws';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketClient } from '../../support/websocket-client.ts';
import { WebSocketOrigin } from '../../support/websocket-origin.ts';

const megabyte = 1024 ** 2;

/** The bytes that the kernel takes on the way are not few: what comes beyond them and the bound must stop. */
const kernelBytes = 24 * megabyte;

for (const [name, engine] of Object.entries({
  'uWebSockets.js': createUwsEngine,
  'Node.js sockets': createNodeEngine,
})) {
  describe(`backpressure over ${name}`, () => {
    test('an application waits for a client that takes nothing, and everything arrives when it does', async () => {
      const total = 64;
      let handed = 0;
      const origin = await WebSocketOrigin.start({
        onWebSocket: (socket) => {
          const next = (): void => {
            if (handed < total) socket.send(Buffer.alloc(megabyte, ++handed), next);
          };
          socket.on('message', next);
        },
      });
      const worker = await startProxyWorker([origin.url], 'webSocket: { maxBuffered: 256KB }', '', engine);
      const client = await WebSocketClient.open(worker.port);
      try {
        client.socket.pause();
        client.socket.send('go');
        await settled(() => handed);
        assert.ok(handed * megabyte <= kernelBytes, `${handed} MB were taken of the application`);
        client.socket.resume();
        for (let index = 1; index <= total; index++) {
          const { data } = await client.next();
          assert.equal(data.length, megabyte);
          assert.equal(data[0], index);
        }
      } finally {
        client.terminate();
        await worker.close();
        await origin.close();
      }
    });

    test('a client is closed with 1013 when the application does not keep up', async () => {
      let paused: WebSocket | undefined;
      const origin = await WebSocketOrigin.start({
        onWebSocket: (socket) => {
          paused = socket;
          socket.pause();
        },
      });
      const worker = await startProxyWorker([origin.url], 'webSocket: { maxBuffered: 256KB }', '', engine);
      const client = await WebSocketClient.open(worker.port);
      try {
        for (let sent = 0; sent < 64 && client.closed === undefined; sent++) {
          client.socket.send(Buffer.alloc(megabyte));
          await new Promise(setImmediate);
        }
        assert.deepEqual(await client.whenClosed(), { code: 1013, reason: 'the application does not keep up' });
        paused?.resume();
        await waitFor(() => origin.open === 0, 'the end of the connection to the application');
      } finally {
        client.terminate();
        await worker.close();
        await origin.close();
      }
    });

    test('a slow client does not slow another one', async () => {
      const origin = await WebSocketOrigin.start({
        onWebSocket: (socket, request) => {
          if (request.url === '/echo') socket.on('message', (data, binary) => socket.send(data, { binary }));
          else for (let index = 0; index < 32; index++) socket.send(Buffer.alloc(megabyte));
        },
      });
      const worker = await startProxyWorker([origin.url], '', '', engine);
      const slow = await WebSocketClient.open(worker.port, '/flood');
      try {
        slow.socket.pause();
        const quick = await WebSocketClient.open(worker.port, '/echo');
        for (let index = 0; index < 100; index++) assert.equal(await quick.ask(String(index)), String(index));
        quick.terminate();
      } finally {
        slow.terminate();
        await worker.close();
        await origin.close();
      }
    });
  });
}

/** Waits until a number has not changed for a while. */
async function settled(read: () => number): Promise<void> {
  let last = -1;
  let since = Date.now();
  await waitFor(() => {
    if (read() !== last) {
      last = read();
      since = Date.now();
    }
    return last > 0 && Date.now() - since > 500;
  }, 'a number that stays');
}
