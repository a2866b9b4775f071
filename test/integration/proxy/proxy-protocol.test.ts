import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { readProxyHeader } from '../../../src/listener/proxy-header.ts';
import { HealthProber } from '../../../src/primary/health-prober.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { freePort } from '../../support/free-port.ts';
import { Proxied, upstreamConfig } from '../../support/proxied.ts';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { serverConfig } from '../../support/server-config.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketClient } from '../../support/websocket-client.ts';
import { WebSocketOrigin } from '../../support/websocket-origin.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

/** A server in front of the application that takes the header off, as HAProxy's `accept-proxy` does, and notes it. */
class HeaderTaker {
  readonly headers: Buffer[] = [];
  /** What came behind the header of each connection. */
  readonly rest: Buffer[] = [];
  port = 0;
  readonly #server = createServer((socket) => this.#take(socket));
  readonly #sockets = new Set<Socket>();
  readonly #serve: (socket: Socket) => void;

  /** @param serve gets each connection without its header */
  private constructor(serve: (socket: Socket) => void) {
    this.#serve = serve;
  }

  static async start(serve: (socket: Socket) => void): Promise<HeaderTaker> {
    const taker = new HeaderTaker(serve);
    taker.port = await freePort();
    await new Promise<void>((resolve) => taker.#server.listen(taker.port, '127.0.0.1', resolve));
    return closing(taker);
  }

  get server() {
    return serverConfig({ host: '127.0.0.1', port: this.port });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    let bytes = Buffer.alloc(0);
    const read = (): void => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) bytes = Buffer.concat([bytes, chunk]);
      const header = readProxyHeader(bytes);
      if (header === 'incomplete') return;
      assert.ok(typeof header === 'object', `no header: ${bytes.toString('latin1')}`);
      socket.off('readable', read);
      this.headers.push(bytes.subarray(0, header.length));
      const rest = bytes.subarray(header.length);
      if (rest.length > 0) socket.unshift(rest);
      this.#serve(socket);
    };
    socket.on('readable', read);
  }
}

/** Answers each request that comes in one piece. */
function answer(socket: Socket): void {
  socket.on('data', () => void socket.write(ok));
}

const client = { remoteAddress: '192.0.2.1', remotePort: 50_000, localAddress: '198.51.100.7', localPort: 443 };
const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 50000 443\r\n';

describe('an upstream with the PROXY protocol', () => {
  for (const version of ['v1', 'v2'] as const) {
    test(`of version ${version.slice(1)} is told the client first, on a connection for each request`, async () => {
      const taker = await HeaderTaker.start(answer);
      const proxied = closing(new Proxied([taker.server], { proxyProtocol: version }));
      const other = { ...client, remoteAddress: '192.0.2.2' };
      for (const connection of [client, other, client]) assert.equal((await proxied.ask({ connection })).status, 200);
      assert.deepEqual(
        taker.headers.map((header) => readProxyHeader(header)).map((read) => (read as { peer: object }).peer),
        ['192.0.2.1', '192.0.2.2', '192.0.2.1'].map((address) => ({ address, port: 50_000 })),
      );
      assert.equal(proxied.upstream.states()[0]?.idle, 0);
    });
  }

  test('is told that the connection ends with the request', async () => {
    let head = '';
    const taker = await HeaderTaker.start((socket) => {
      socket.on('data', (chunk) => {
        head += chunk.toString('latin1');
        socket.write(ok);
      });
    });
    const proxied = closing(new Proxied([taker.server], { proxyProtocol: 'v1' }));
    await proxied.ask({ connection: client });
    assert.equal(taker.headers[0]?.toString('latin1'), line);
    assert.match(head, /^GET \/ HTTP\/1\.1\r\n/);
    assert.match(head, /\r\nConnection: close\r\n/);
  });

  test('is told on every try, of the same client', async () => {
    let connections = 0;
    const taker = await HeaderTaker.start((socket) => {
      if (++connections === 1) socket.on('data', () => socket.resetAndDestroy());
      else answer(socket);
    });
    const proxied = closing(new Proxied([taker.server], { proxyProtocol: 'v1' }));
    assert.equal((await proxied.ask({ connection: client })).status, 200);
    assert.deepEqual(taker.headers.map(String), [line, line]);
  });

  test('is told before the handshake where it speaks TLS as well', async () => {
    const made = new TestCertificates();
    closers.push(() => made.remove());
    const { certificate, key } = made.make('origin', ['127.0.0.1']);
    const secure = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, answer);
    const taker = await HeaderTaker.start((socket) => void secure.emit('connection', socket));
    const tls = { verify: true, ca: made.authority };
    const proxied = closing(new Proxied([taker.server], { proxyProtocol: 'v1', tls }));
    const exchange = await proxied.ask({ connection: client, method: 'POST', body: 'data' });
    assert.equal(exchange.status, 200);
    assert.deepEqual(taker.headers.map(String), [line]);
  });

  test('that says nothing of clients on sockets is told nothing of them', async () => {
    const taker = await HeaderTaker.start(answer);
    const proxied = closing(new Proxied([taker.server], { proxyProtocol: 'v1' }));
    assert.equal((await proxied.ask({ connection: { ...client, remoteAddress: '', remotePort: 0 } })).status, 200);
    assert.deepEqual(taker.headers.map(String), ['PROXY UNKNOWN\r\n']);
  });

  test('uses no connection again that was opened before a reload brought it', async () => {
    const plain = createServer((socket) => {
      socket.on('error', () => {}).on('data', () => void socket.write(ok));
    });
    closing({ close: () => void plain.close() });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as { port: number };
    const proxied = closing(new Proxied([serverConfig({ host: '127.0.0.1', port })]));
    await proxied.ask();
    assert.equal(proxied.upstream.states()[0]?.idle, 1);
    proxied.upstream.reconfigure({ ...proxied.upstream.config, proxyProtocol: 'v2' });
    assert.equal(proxied.upstream.states()[0]?.idle, 0);
  });

  for (const version of ['v1', 'v2'] as const) {
    test(`is checked in the name of Portico itself (${version})`, async () => {
      const taker = await HeaderTaker.start(answer);
      const prober = closing(
        new HealthProber({ logger: new RecordingLogger(), recorder: new FakeRecorder(), announce: () => {} }),
      );
      const times = { interval: 50, timeout: 300, rise: 1, fall: 1, jitter: 0, startAs: 'down' } as const;
      const check = { kind: 'http', method: 'GET', path: '/', headers: {}, status: [[200, 200] as const] } as const;
      prober.applyConfig({
        app: upstreamConfig([taker.server], { proxyProtocol: version, health: { ...times, check } }),
      });
      await waitFor(() => prober.status()[0]?.health === 'up', 'the server to be up');
      const expected = { v1: Buffer.from('PROXY UNKNOWN\r\n'), v2: Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0') };
      assert.deepEqual(taker.headers[0], expected[version]);
    });
  }
});

test('a WebSocket to an upstream with the PROXY protocol begins with the header', async () => {
  const origin = closing(await WebSocketOrigin.start());
  const taker = await HeaderTaker.start((socket) => origin.take(socket));
  const worker = closing(await startProxyWorker([taker.server.name], '', 'proxyProtocol: v1'));
  const client = await WebSocketClient.open(worker.port);
  assert.equal(await client.ask('hello'), 'hello');
  client.socket.terminate();
  assert.match(
    String(taker.headers[0]),
    new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 \\d+ ${worker.port}\\r\\n$`),
  );
});
