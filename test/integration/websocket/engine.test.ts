import assert from 'node:assert/strict';
import { afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineFactory } from '../../../src/listener/engine.ts';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import type { WebSocketPeer, WebSocketSink } from '../../../src/listener/websocket.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { type ContractServer, contractServer } from '../../support/contract-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import { frame, opcodes } from '../../support/raw-websocket.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketClient } from '../../support/websocket-client.ts';

/* What the engine promises to whoever takes a WebSocket, without the rest of Portico. */

const switching = responseHead(101, [['X-From', 'the handler']]);
const handshake =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const calls: string[] = [];
let peer: WebSocketPeer | undefined;
let server: ContractServer;
let factory: EngineFactory = createUwsEngine;

afterEach(() => {
  server.close();
  calls.length = 0;
});

const sink: WebSocketSink = {
  message: (data) => {
    calls.push(`message ${data.toString()}`);
    if (data.toString() === 'throw') throw new Error('a defect');
  },
  heard: () => void calls.push('heard'),
  drained: () => void calls.push('drained'),
  leave: () => {
    calls.push('leave');
    peer?.close(1001, Buffer.from('bye'));
  },
  closed: (code, reason) => void calls.push(`closed ${code} ${reason.toString()}`),
};

/** @param later whether the WebSocket is taken in a later turn of the event loop */
async function serve(later: boolean): Promise<void> {
  server = await contractServer(factory, (exchange) => {
    const accept = (): void => {
      peer = exchange.acceptWebSocket(switching, exchange.webSocketRequest?.protocols[0] ?? '', sink);
    };
    if (later) setTimeout(accept, 5);
    else accept();
  });
}

for (const [name, made] of Object.entries({ 'uWebSockets.js': createUwsEngine, 'Node.js sockets': createNodeEngine })) {
  describe(`a WebSocket over ${name}`, () => {
    before(() => {
      factory = made;
    });

    for (const later of [false, true]) {
      test(`a WebSocket taken ${later ? 'later' : 'at once'} is in flight until it ends, and its connection is counted`, async () => {
        await serve(later);
        const { engine, port } = server;
        const client = await WebSocketClient.open(port, '/', ['a', 'b']);
        assert.equal(client.socket.protocol, 'a');
        assert.equal(client.fields['x-from'], 'the handler');
        assert.deepEqual([engine.inFlight, engine.switched, engine.connections], [1, 1, 1]);
        assert.deepEqual(server.events, ['handle GET /']);
        peer?.send(Buffer.from('hello'), false);
        assert.equal((await client.next()).data.toString(), 'hello');
        assert.equal(server.exchanges[0]?.bytesSent, 5);
        client.socket.close(4001, 'enough');
        await waitFor(() => server.finished.length === 1, 'the end');
        assert.deepEqual([engine.inFlight, engine.switched, engine.connections], [0, 0, 0]);
        assert.deepEqual(server.events, ['handle GET /', 'finished 101']);
        assert.deepEqual(calls, ['closed 4001 enough']);
      });
    }

    test('after the end every call of the peer does nothing', async () => {
      await serve(true);
      const client = await WebSocketClient.open(server.port);
      peer?.close(1000, Buffer.alloc(0));
      peer?.send(Buffer.from('x'), false);
      peer?.ping();
      peer?.close(1000, Buffer.alloc(0));
      peer?.terminate();
      assert.equal(peer?.bufferedBytes, 0);
      assert.equal((await client.whenClosed()).code, 1000);
      assert.deepEqual(calls, ['closed 1000 ']);
      assert.equal(server.finished.length, 1);
    });

    test('an exchange that is aborted cuts its WebSocket', async () => {
      await serve(true);
      const client = await WebSocketClient.open(server.port);
      server.exchanges[0]?.abort();
      assert.equal((await client.whenClosed()).code, 1006);
      assert.deepEqual(calls, ['closed 1006 ']);
    });

    test('a defect of the sink costs its WebSocket and nothing else', async () => {
      await serve(true);
      const client = await WebSocketClient.open(server.port);
      client.socket.send('throw');
      assert.equal((await client.whenClosed()).code, 1006);
      const other = await WebSocketClient.open(server.port);
      other.socket.send('fine');
      await waitFor(() => calls.includes('message fine'), 'the message');
      other.terminate();
    });

    test('a drain waits for WebSockets, and closing them ends it; later ones are closed again', async () => {
      await serve(true);
      const { engine, port } = server;
      const client = await WebSocketClient.open(port);
      let drained = false;
      void engine.drain().then(() => {
        drained = true;
      });
      client.socket.ping();
      await waitFor(() => calls.includes('heard'), 'the ping');
      assert.equal(drained, false);
      engine.closeSwitched();
      assert.deepEqual(await client.whenClosed(), { code: 1001, reason: 'bye' });
      await waitFor(() => drained, 'the drain');
    });
  });
}

// RFC 6455 section 4.1: it must wait. uWebSockets.js takes what comes for another request, and closes the connection.
test('over Node.js sockets what a client sends ahead of the answer, which it must not, is not lost', async () => {
  let accept: (() => void) | undefined;
  server = await contractServer(createNodeEngine, (exchange) => {
    accept = () => {
      peer = exchange.acceptWebSocket(switching, '', sink);
    };
  });
  const ahead = Array.from({ length: 100 }, () => frame({ opcode: opcodes.binary, payload: Buffer.alloc(4096) }));
  const client = await RawClient.connect(server.port);
  client.send(Buffer.concat([Buffer.from(handshake), ...ahead]));
  await waitFor(() => accept !== undefined, 'the request');
  // As much as the engine reads ahead has been read by now, and it has stopped reading.
  await sleep(50);
  accept?.();
  client.send(frame({ opcode: opcodes.text, payload: 'behind' }));
  await waitFor(() => calls.includes('message behind'), 'the last message');
  assert.equal(calls.length, 101);
  client.destroy();
});
