import assert from 'node:assert/strict';
import type { ClientHttp2Session } from 'node:http2';
import { after, type TestContext, test } from 'node:test';
import { tlsEngine } from '../../support/http2-server.ts';
import { connectHttp2, Http2WebSocket } from '../../support/http2-websocket.ts';
import type { InProcessWorker } from '../../support/in-process-worker.ts';
import { standstill } from '../../support/loop-rounds.ts';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { closePayload, opcodes } from '../../support/raw-websocket.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketOrigin, type WebSocketOriginOptions } from '../../support/websocket-origin.ts';

/* WebSockets over HTTP/2 through a whole worker, to an application that speaks HTTP/1.1. */

const certificates = new TestCertificates();
after(() => certificates.remove());
const { text, binary, close } = opcodes;

interface Served {
  readonly origin: WebSocketOrigin;
  readonly worker: InProcessWorker;
  readonly client: ClientHttp2Session;
}

async function serve(
  t: TestContext,
  options: WebSocketOriginOptions = {},
  proxy = '',
  window?: number,
): Promise<Served> {
  const origin = await WebSocketOrigin.start(options);
  const worker = await startProxyWorker([origin.url], proxy, '', tlsEngine(certificates));
  const client = await connectHttp2(worker.port, window);
  t.after(async () => {
    client.destroy();
    await worker.close();
    await origin.close();
  });
  return { origin, worker, client };
}

test('the application sees the handshake that it would see over HTTP/1.1, and what is said passes both ways', async (t) => {
  const { origin, client } = await serve(t, { fields: ['Set-Cookie: a=b'] });
  const socket = await Http2WebSocket.open(client, '/chat?room=1', {
    'sec-websocket-protocol': 'chat',
    origin: 'https://example.com',
    cookie: 'session=1',
  });
  assert.equal(socket.headers?.['sec-websocket-protocol'], 'chat');
  assert.deepEqual(socket.headers?.['set-cookie'], ['a=b']);
  const [request] = origin.requests;
  assert.deepEqual([request?.method, request?.url], ['GET', '/chat?room=1']);
  assert.equal(request?.headers.upgrade, 'websocket');
  assert.equal(request?.headers['sec-websocket-version'], '13');
  assert.match(request?.headers['sec-websocket-key'] ?? '', /==$/);
  assert.deepEqual(
    [request?.headers.origin, request?.headers.cookie, request?.headers['x-forwarded-proto']],
    ['https://example.com', 'session=1', 'https'],
  );
  assert.ok(Object.keys(request?.headers ?? {}).every((name) => !name.startsWith(':')));
  assert.equal(await socket.ask('hällo'), 'hällo');
  socket.send({ opcode: binary, payload: Buffer.from([0, 255, 128]) });
  assert.deepEqual((await socket.received(2))[1]?.payload, Buffer.from([0, 255, 128]));
  socket.send({ opcode: close, payload: closePayload(4321, 'bye') });
  assert.equal(await socket.closeCode(), 4321);
  socket.stream.end();
  await waitFor(() => origin.closes.length === 1, 'the end at the application');
  assert.deepEqual(origin.closes, [{ code: 4321, reason: 'bye' }]);
});

test('a close frame of the application reaches the client', async (t) => {
  const { client } = await serve(t, { onWebSocket: (socket) => socket.close(4400, 'no') });
  const socket = await Http2WebSocket.open(client);
  assert.equal(await socket.closeCode(), 4400);
});

test('an application that is killed is 1011 for the client', async (t) => {
  const { client, origin } = await serve(t);
  const socket = await Http2WebSocket.open(client);
  origin.kill();
  assert.equal(await socket.closeCode(), 1011);
});

test('a stream that the client resets is 1006 for the application', async (t) => {
  const { client, origin } = await serve(t);
  const socket = await Http2WebSocket.open(client);
  socket.stream.close(8);
  await waitFor(() => origin.closes.length === 1, 'the end at the application');
  assert.equal(origin.closes[0]?.code, 1006);
});

test('messages above the bound of the route are 1009', async (t) => {
  const { client } = await serve(t, {}, 'webSocket: { maxMessage: 1KB }');
  const socket = await Http2WebSocket.open(client);
  socket.send({ opcode: binary, payload: Buffer.alloc(2000) });
  assert.equal(await socket.closeCode(), 1009);
});

test('the application is not read from while the client takes nothing, and loses nothing', async (t) => {
  const messages = 400;
  const size = 50_000;
  const { client, worker, origin } = await serve(
    t,
    {
      onWebSocket: (socket) => {
        for (let index = 0; index < messages; index++) socket.send(Buffer.alloc(size, index % 256));
      },
    },
    'webSocket: { maxBuffered: 64KB }',
    10_000,
  );
  const socket = await Http2WebSocket.open(client);
  socket.stream.pause();
  const [sender] = origin.sockets;
  assert.ok(worker.port > 0 && sender !== undefined);
  // The kernel's buffers are full as well, and it stays so.
  await standstill(() => sender.bufferedAmount, 'the application to stand still with something left');
  socket.stream.resume();
  const frames = await socket.received(messages);
  assert.deepEqual(
    frames.map(({ payload }) => [payload.length, payload[0]]),
    Array.from({ length: messages }, (_, index) => [size, index % 256]),
  );
});

test('a client that sends faster than the application takes is 1013', async (t) => {
  const { client } = await serve(t, { onWebSocket: (socket) => socket.pause() }, 'webSocket: { maxBuffered: 64KB }');
  const socket = await Http2WebSocket.open(client);
  for (let round = 0; round < 400 && !socket.ended; round++) {
    socket.send({ opcode: binary, payload: Buffer.alloc(100_000) });
    await new Promise(setImmediate);
  }
  assert.equal(await socket.closeCode(), 1013);
});

test('a client of which nothing is heard is dropped, and one that answers pings is not', async (t) => {
  const { client, origin } = await serve(t, {}, 'webSocket: { idleTimeout: 1s }');
  const silent = await Http2WebSocket.open(client);
  await waitFor(() => silent.ended, 'the end of the silent one');
  assert.equal(silent.stream.rstCode, 8);
  await waitFor(() => origin.closes.length === 1, 'the end at the application');
  assert.equal(origin.closes[0]?.code, 1001);
  assert.ok(silent.frames.some(({ opcode }) => opcode === opcodes.ping));
});

test('a refusal of the application is passed on with its body', async (t) => {
  const answer = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope';
  const { client } = await serve(t, { onUpgrade: (_request, connection) => void connection.end(answer) });
  const socket = new Http2WebSocket(client);
  assert.equal(await socket.status(), 403);
  await waitFor(() => socket.ended, 'the end');
  assert.equal(socket.body, 'nope');
});

test('an application that answers with a page, and a route that does, are 501', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage';
  const { client } = await serve(t, { onUpgrade: (_request, connection) => void connection.end(answer) });
  for (const path of ['/', '/fixed']) assert.equal(await new Http2WebSocket(client, path).status(), 501);
});

test('a route that takes no WebSockets asks the application for a page, whose 200 is 501', async (t) => {
  const { client, origin } = await serve(t, {}, 'webSocket: false');
  assert.equal(await new Http2WebSocket(client).status(), 501);
  assert.equal(origin.requests.length, 0);
});

test('more handshakes than a connection may have streams are refused, not served', async (t) => {
  const { client, origin } = await serve(t);
  const sockets = Array.from({ length: 128 }, () => new Http2WebSocket(client));
  for (const socket of sockets) assert.equal(await socket.status(), 200);
  assert.equal(origin.sockets.length, 128);
  const [first] = sockets;
  assert.equal(await first?.ask('still here'), 'still here');
  first?.send({ opcode: text, payload: 'x' });
});
