import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { after, afterEach, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { Proxied } from '../../support/proxied.ts';
import { type OriginOptions, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const made = new TestCertificates();
const { certificate, key } = made.make('origin', ['127.0.0.1']);
const tls = { verify: true, ca: made.authority };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
after(() => made.remove());

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

/** A server without TLS that does as it likes with each connection. */
async function instead(onConnection: (socket: Socket) => void): Promise<ScriptedOrigin> {
  const options: OriginOptions = { onConnection: (socket) => (onConnection(socket), true) };
  return closing(await ScriptedOrigin.start(() => {}, options));
}

function failures(proxied: Proxied, origin: ScriptedOrigin, reason: string): number {
  const labels = { upstream: 'app', server: origin.server().name, reason };
  return proxied.recorder.value(metricNames.upstreamTlsHandshakesFailed, labels);
}

describe('instead of TLS a server', () => {
  test('that says nothing gives 504 within the time for connecting, and the connection is closed', async () => {
    const origin = await instead((socket) => void socket.resume());
    const proxied = closing(new Proxied([origin.server()], { tls, timeouts: { connect: 80 } }));
    const exchange = await proxied.ask({ method: 'POST', body: 'data' });
    assert.equal(exchange.status, 504);
    assert.equal(exchange.context?.error?.code, 'upstream_connect_timeout');
    assert.match(exchange.context?.error?.message ?? '', /no TLS within 80 ms/);
    assert.equal(failures(proxied, origin, 'timeout'), 1);
    await waitFor(() => origin.open === 0, 'the end of the connection');
  });

  test('that begins and goes on byte by byte gives 504 as well', async () => {
    const origin = await instead((socket) => {
      socket.write(Buffer.from([22, 3, 3, 0x10, 0]));
      const drip = setInterval(() => socket.write(Buffer.from([2])), 10);
      socket.on('close', () => clearInterval(drip)).resume();
    });
    const proxied = closing(new Proxied([origin.server()], { tls, timeouts: { connect: 80 } }));
    assert.equal((await proxied.ask()).status, 504);
    await waitFor(() => origin.open === 0, 'the end of the connection');
  });

  for (const end of ['end', 'resetAndDestroy'] as const) {
    test(`that closes within the handshake by ${end} gives 502`, async () => {
      const origin = await instead((socket) => void socket.once('data', () => socket[end]()));
      const proxied = closing(new Proxied([origin.server()], { tls }));
      const exchange = await proxied.ask({ method: 'POST', body: 'data' });
      assert.equal(exchange.status, 502);
      assert.equal(exchange.context?.error?.code, 'upstream_unreachable');
      assert.equal(failures(proxied, origin, 'closed'), 1);
    });
  }

  test('that speaks plain HTTP gives 502, and gets nothing of the request', async () => {
    const received: Buffer[] = [];
    const origin = await instead((socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const proxied = closing(new Proxied([origin.server()], { tls }));
    const exchange = await proxied.ask({ method: 'POST', target: '/secret', body: 'secret' });
    assert.equal(exchange.status, 502);
    assert.match(exchange.context?.error?.message ?? '', /no TLS with the server/);
    assert.equal(failures(proxied, origin, 'no_tls'), 1);
    assert.doesNotMatch(Buffer.concat(received).toString('latin1'), /secret/);
  });

  test('that sends rubbish gives 502', async () => {
    const origin = await instead((socket) => void socket.end(Buffer.alloc(100_000, 0x16)));
    const proxied = closing(new Proxied([origin.server()], { tls }));
    assert.equal((await proxied.ask()).status, 502);
  });
});

describe('a server with TLS', () => {
  const options = { cert: readFileSync(certificate), key: readFileSync(key) };

  test('of a version that is too old gives 502', async () => {
    const old = { ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    const origin = closing(await ScriptedOrigin.answering('', { tls: old }));
    const proxied = closing(new Proxied([origin.server()], { tls }));
    const exchange = await proxied.ask();
    assert.equal(exchange.status, 502);
    assert.equal(failures(proxied, origin, 'version'), 1);
  });

  test('is left by a client in the middle of the handshake, and nothing stays behind', async () => {
    const origin = await instead((socket) => void socket.resume());
    const proxied = closing(new Proxied([origin.server()], { tls }));
    const exchange = proxied.begin();
    await waitFor(() => origin.open === 1, 'the connection');
    exchange.disconnect();
    await waitFor(() => origin.open === 0, 'the end of the connection');
    assert.equal(proxied.upstream.states()[0]?.active, 0);
  });

  test('that asks for another protocol in the middle of a response gets no request twice', async () => {
    const origin = closing(
      await ScriptedOrigin.start(
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
          // Below TLS: bytes that are no record of it.
          setImmediate(() => (Reflect.get(socket, '_parent') as Socket).end('HTTP/1.1 200 OK\r\n\r\n'));
        },
        { tls: options },
      ),
    );
    const proxied = closing(new Proxied([origin.server()], { tls }));
    const exchange = await proxied.ask({ method: 'POST', body: 'x' });
    assert.notEqual(exchange.complete && exchange.status === 200, true);
    assert.equal(origin.requests.length, 1);
  });
});
