import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { after, describe, type TestContext, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import type { WebSocketPeer, WebSocketSink } from '../../../src/listener/websocket.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { type ContractServer, plain } from '../../support/contract-server.ts';
import { http2Server } from '../../support/http2-server.ts';
import { connectHttp2, Http2WebSocket } from '../../support/http2-websocket.ts';
import { closePayload, opcodes } from '../../support/raw-websocket.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

/* What the engine promises to whoever takes a WebSocket over HTTP/2 (RFC 8441), without the rest of Portico. */

const certificates = new TestCertificates();
after(() => certificates.remove());

const { text, binary, close, ping, pong } = opcodes;
const switching = responseHead(101, [['X-From', 'the handler']]);

interface Served {
  readonly server: ContractServer;
  readonly client: ClientHttp2Session;
  /** What the sinks were told. */
  readonly calls: string[];
  readonly peers: WebSocketPeer[];
}

type Accept = (exchange: Exchange, take: () => void) => void;

async function serve(t: TestContext, accept: Accept = (_exchange, take) => take(), window?: number): Promise<Served> {
  const calls: string[] = [];
  const peers: WebSocketPeer[] = [];
  const server = await http2Server(certificates, (exchange) => {
    const { webSocketRequest } = exchange;
    if (webSocketRequest === undefined) return exchange.respond(plain, Buffer.from('a page'));
    accept(exchange, () => {
      const index = peers.length;
      const sink: WebSocketSink = {
        message: (data, isBinary) => {
          const shown = data.length > 100 ? `${data.length} bytes` : data.toString();
          calls.push(`${isBinary ? 'binary' : 'text'} ${shown}`);
          if (shown === 'throw') throw new Error('a defect');
        },
        heard: () => void calls.push('heard'),
        drained: () => undefined,
        leave: () => peers[index]?.close(1001, Buffer.from('bye')),
        closed: (code, reason) => void calls.push(`closed ${code} ${reason.toString()}`),
      };
      const peer = exchange.acceptWebSocket(switching, webSocketRequest.protocols[0] ?? '', sink);
      if (peer !== undefined) peers.push(peer);
    });
  });
  const client = await connectHttp2(server.port, window);
  t.after(() => {
    client.destroy();
    server.close();
  });
  return { server, client, calls, peers };
}

describe('a WebSocket over HTTP/2', () => {
  test('is offered in the settings', async (t) => {
    const { client } = await serve(t);
    assert.equal(client.remoteSettings.enableConnectProtocol, true);
  });

  test('is opened by 200 with the fields and the subprotocol of the handler, and is in flight until it ends', async (t) => {
    const { client, server, calls, peers } = await serve(t);
    const socket = await Http2WebSocket.open(client, '/room?a=1', { 'sec-websocket-protocol': 'chat, other' });
    const { headers = {} } = socket;
    assert.equal(headers['x-from'], 'the handler');
    assert.equal(headers['sec-websocket-protocol'], 'chat');
    for (const name of ['sec-websocket-accept', 'upgrade', 'connection', 'content-length'])
      assert.equal(headers[name], undefined, name);
    assert.deepEqual(server.events, ['handle GET /room?a=1']);
    assert.deepEqual([server.engine.inFlight, server.engine.switched, server.engine.connections], [1, 1, 1]);
    peers[0]?.send(Buffer.from('hello'), false);
    assert.equal((await socket.received(1))[0]?.payload.toString(), 'hello');
    assert.equal(server.exchanges[0]?.bytesSent, 5);
    socket.send({ opcode: text, payload: 'hi' }, { opcode: binary, payload: Buffer.from([0, 255]) });
    socket.send({ opcode: ping, payload: 'p' });
    assert.equal((await socket.received(2))[1]?.opcode, pong);
    socket.send({ opcode: close, payload: closePayload(4001, 'enough') });
    assert.equal(await socket.closeCode(), 4001);
    await waitFor(() => socket.ended, 'the end of the stream');
    socket.stream.end();
    await waitFor(() => server.finished.length === 1, 'the end');
    assert.equal(socket.stream.rstCode, 0);
    assert.deepEqual(server.events.slice(1), ['finished 200']);
    assert.deepEqual(calls, ['text hi', `binary ${Buffer.from([0, 255]).toString()}`, 'heard', 'closed 4001 enough']);
    assert.deepEqual([server.engine.inFlight, server.engine.switched, server.engine.connections], [0, 0, 1]);
  });

  test('shares its connection with requests and other WebSockets', async (t) => {
    const { client, peers } = await serve(t);
    const [one, two] = [await Http2WebSocket.open(client), await Http2WebSocket.open(client)];
    const page = client.request({ ':path': '/page' });
    const [fields] = (await once(page, 'response')) as [Record<string, unknown>];
    assert.equal(fields[':status'], 200);
    page.resume();
    await once(page, 'end');
    peers[1]?.send(Buffer.from('for two'), false);
    peers[0]?.send(Buffer.from('for one'), false);
    assert.equal((await one.received(1))[0]?.payload.toString(), 'for one');
    assert.equal((await two.received(1))[0]?.payload.toString(), 'for two');
  });

  test('gets what the client has sent before it was opened', async (t) => {
    let take: (() => void) | undefined;
    const { client, calls } = await serve(t, (_exchange, now) => {
      take = now;
    });
    const socket = new Http2WebSocket(client);
    socket.send({ opcode: text, payload: 'early' }, { opcode: text, payload: 'bird' });
    await waitFor(() => take !== undefined, 'the request');
    take?.();
    await waitFor(() => calls.length === 2, 'the messages');
    assert.deepEqual(calls, ['text early', 'text bird']);
  });

  test('lets a client send no more than a window before it is opened', async (t) => {
    let take: (() => void) | undefined;
    const { client, calls } = await serve(t, (_exchange, now) => {
      take = now;
    });
    const socket = new Http2WebSocket(client);
    socket.send({ opcode: binary, payload: Buffer.alloc(1_000_000) });
    await waitFor(() => (socket.stream.state.localWindowSize ?? 1) >= 0 && take !== undefined, 'the request');
    const other = client.request({ ':path': '/page' });
    assert.equal(((await once(other, 'response')) as [Record<string, unknown>])[0][':status'], 200);
    assert.ok(socket.stream.writableLength + (socket.stream.bufferSize ?? 0) > 0, 'all of it was taken');
    take?.();
    await waitFor(() => calls.length === 1, 'the message');
    assert.deepEqual(calls, ['binary 1000000 bytes']);
  });

  test('sends large messages through small windows, and waits for a client that does not read', async (t) => {
    const { client, peers } = await serve(t, undefined, 1000);
    const socket = await Http2WebSocket.open(client);
    socket.stream.pause();
    const message = Buffer.alloc(900_000, 7);
    peers[0]?.send(message, true);
    // The rest waits here, and whoever asks is told how much it is.
    assert.ok((peers[0]?.bufferedBytes ?? 0) > 800_000);
    socket.stream.resume();
    assert.deepEqual((await socket.received(1))[0]?.payload, message);
    await waitFor(() => peers[0]?.bufferedBytes === 0, 'everything to be taken');
  });

  test('takes messages that are larger than its window', async (t) => {
    const { client, calls } = await serve(t);
    const socket = await Http2WebSocket.open(client);
    for (let round = 0; round < 5; round++) socket.send({ opcode: binary, payload: Buffer.alloc(700_000) });
    await waitFor(() => calls.length === 5, 'the messages');
    assert.deepEqual(new Set(calls), new Set(['binary 700000 bytes']));
  });

  test('is cut for a message beyond the bound of the engine, and the connection lives on', async (t) => {
    const { client, calls } = await serve(t);
    const socket = await Http2WebSocket.open(client);
    socket.send({ opcode: binary, declared: 2 ** 30 });
    assert.equal(await socket.closeCode(), 1009);
    await waitFor(() => calls.length === 1, 'the end');
    assert.deepEqual(calls, ['closed 1006 ']);
    await Http2WebSocket.open(client);
  });

  test('that the client resets is 1006 for whoever took it', async (t) => {
    const { client, server, calls } = await serve(t);
    const socket = await Http2WebSocket.open(client);
    socket.stream.close(8);
    await waitFor(() => server.finished.length === 1, 'the end');
    assert.deepEqual(calls, ['closed 1006 ']);
    await Http2WebSocket.open(client);
  });

  test('whose stream the client ends without a close frame is 1006, and ends', async (t) => {
    const { client, server, calls } = await serve(t);
    const socket = await Http2WebSocket.open(client);
    socket.stream.end();
    await waitFor(() => server.finished.length === 1 && socket.ended, 'the end');
    assert.deepEqual(calls, ['closed 1006 ']);
  });

  test('ends with its connection', async (t) => {
    const { client, server, calls } = await serve(t);
    await Http2WebSocket.open(client);
    await Http2WebSocket.open(client);
    client.destroy();
    await waitFor(() => server.finished.length === 2, 'the ends');
    assert.deepEqual(calls, ['closed 1006 ', 'closed 1006 ']);
    await waitFor(() => server.engine.connections === 0, 'the end of the connection');
  });

  test('whose client does not end its side after the close frames is reset', async (t) => {
    const { client, server, peers } = await serve(t);
    const socket = await Http2WebSocket.open(client);
    peers[0]?.close(1000, Buffer.alloc(0));
    assert.equal(await socket.closeCode(), 1000);
    assert.equal(server.finished.length, 1);
    await waitFor(() => socket.stream.closed, 'the reset');
    assert.equal(socket.stream.rstCode, 8);
  });

  test('that is aborted, or whose sink is defect, costs its connection nothing', async (t) => {
    const { client, server, calls } = await serve(t);
    const [one, two] = [await Http2WebSocket.open(client), await Http2WebSocket.open(client)];
    server.exchanges[0]?.abort();
    assert.equal(await one.closeCode(), 1006);
    assert.equal(one.stream.rstCode, 8);
    two.send({ opcode: text, payload: 'throw' });
    assert.equal(await two.closeCode(), 1006);
    assert.deepEqual(calls, ['closed 1006 ', 'text throw', 'closed 1006 ']);
    await Http2WebSocket.open(client);
  });

  test('after the end every call of the peer does nothing', async (t) => {
    const { client, server, peers, calls } = await serve(t);
    const socket = await Http2WebSocket.open(client);
    const peer = peers[0] as WebSocketPeer;
    peer.close(1000, Buffer.alloc(0));
    peer.send(Buffer.from('x'), false);
    peer.ping();
    peer.close(1000, Buffer.alloc(0));
    peer.terminate();
    assert.equal(await socket.closeCode(), 1000);
    assert.deepEqual(calls, ['closed 1000 ']);
    assert.equal(server.finished.length, 1);
  });

  test('is waited for by a drain, told to leave with 1001, and no other is opened', async (t) => {
    const { client, server } = await serve(t);
    const socket = await Http2WebSocket.open(client);
    let drained = false;
    void server.engine.drain().then(() => {
      drained = true;
    });
    await once(client, 'goaway');
    socket.send({ opcode: ping });
    assert.equal((await socket.received(1))[0]?.opcode, pong);
    assert.equal(drained, false);
    server.engine.closeSwitched();
    assert.equal(await socket.closeCode(), 1001);
    await waitFor(() => drained, 'the drain');
  });

  test('that nobody takes is answered like any other request', async (t) => {
    const denied = responseHead(403, [['content-type', 'text/plain']]);
    const { client } = await serve(t, (exchange) => exchange.respond(denied, Buffer.from('not for you')));
    const socket = new Http2WebSocket(client);
    assert.equal(await socket.status(), 403);
    await waitFor(() => socket.ended, 'the end');
    assert.equal(socket.body, 'not for you');
  });

  for (const [way, answer] of Object.entries<Accept>({
    whole: (exchange) => exchange.respond(plain, Buffer.from('a page')),
    'in pieces': (exchange) => {
      exchange.stream(plain, undefined);
      exchange.write(Buffer.from('a page'));
      exchange.end();
    },
    'without a body': (exchange) => exchange.respondHead(responseHead(204, []), undefined),
  })) {
    test(`that is answered with a page, ${way}, is 501: the client would take the 200 for its WebSocket`, async (t) => {
      const { client, server } = await serve(t, answer);
      const socket = new Http2WebSocket(client);
      assert.equal(await socket.status(), 501);
      await waitFor(() => socket.ended && server.finished.length === 1, 'the end');
      assert.equal(socket.body, 'protocol_unsupported');
      assert.deepEqual(server.events, ['handle GET /', 'refuse protocol_unsupported', 'finished 501']);
    });
  }
});
