import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { TlsTerminator } from '../../../src/tls/tls-terminator.ts';
import { plain, refuseWith } from '../../support/contract-server.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const timeouts = { requestBodyMs: 60_000, sendMs: 60_000, minBodyRate: 0, minBodyRateGraceMs: 0 };
const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const lineOfVersion1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n';
const version2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
  Buffer.from([192, 0, 2, 8, 198, 51, 100, 1, 0x12, 0x67, 1, 187]),
]);

/** Answers with the address and port that it sees. */
function engineOf(factory: typeof createNodeEngine): ReturnType<typeof createNodeEngine> {
  return factory(
    {
      handle: (exchange) => {
        const { remoteAddress, remotePort, scheme } = exchange.connection;
        exchange.respond(plain, Buffer.from(`seen ${scheme} ${remoteAddress} ${remotePort}`));
      },
      refuse: refuseWith,
      finished: () => undefined,
    },
    timeouts,
  );
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

describe('the PROXY protocol', () => {
  const made = new TestCertificates();
  const engine = engineOf(createNodeEngine);
  let believing = 0;
  let strict = 0;
  let secure = 0;

  before(async () => {
    const address = { host: '127.0.0.1', port: 0 };
    believing = await engine.listen({ ...address, address: 'believing', proxyProtocol: ['127.0.0.0/8'] });
    strict = await engine.listen({ ...address, address: 'strict', proxyProtocol: ['10.0.0.0/8'] });
    const { certificate, key } = made.make('site', ['example.com']);
    const tls = {
      certificates: [{ certificate, key }],
      unknownNames: 'default',
      minVersion: '1.2',
      handshakeTimeout: 10_000,
      ocsp: 'auto',
      http2: true,
    } as const;
    const listener = { ...address, address: 'secure', proxyProtocol: ['127.0.0.1'] };
    secure = await engine.listen({ ...listener, tls }, new TlsTerminator(tls));
  });
  after(() => {
    engine.close();
    made.remove();
  });

  function ask(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const piece of pieces) socket.write(piece);
    return textOf(socket);
  }

  test('tells who the client is, in both versions', async () => {
    assert.match(await ask(believing, lineOfVersion1, request), /seen http 192\.0\.2\.7 4711$/);
    assert.match(await ask(believing, `${lineOfVersion1}${request}`), /seen http 192\.0\.2\.7 4711$/);
    assert.match(await ask(believing, version2, request), /seen http 192\.0\.2\.8 4711$/);
    assert.match(await ask(believing, 'PROXY UNKNOWN\r\n', request), /seen http 127\.0\.0\.1 \d+$/);
  });

  test('may come byte by byte', async () => {
    const socket = connect({ port: believing, host: '127.0.0.1', noDelay: true });
    const text = textOf(socket);
    for (const byte of `${lineOfVersion1}${request}`) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await text, /seen http 192\.0\.2\.7 4711$/);
  });

  test('counts for every request of the connection', async () => {
    const socket = connect({ port: believing, host: '127.0.0.1' });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    const kept = request.replace('Connection: close\r\n', '');
    socket.write(lineOfVersion1 + kept);
    await waitFor(() => text.includes('4711'), 'the first answer');
    text = '';
    socket.write(kept);
    await waitFor(() => text.includes('seen http 192.0.2.7 4711'), 'the second answer');
    socket.destroy();
  });

  const wrong: readonly (readonly [what: string, bytes: string | Buffer])[] = [
    ['a request without a header', request],
    ['a header that is malformed', `PROXY TCP4 localhost 198.51.100.1 1 2\r\n${request}`],
    ['a binary header of another kind', Buffer.concat([version2.subarray(0, 12), Buffer.from([0x31, 0x11, 0, 0])])],
    ['a line without end', `PROXY UNKNOWN ${'x'.repeat(500)}`],
  ];
  for (const [what, bytes] of wrong) {
    test(`ends the connection of a believed peer for ${what}`, async () => {
      assert.equal(await ask(believing, bytes), '');
    });
  }

  test('is not read a second time', async () => {
    for (const again of [lineOfVersion1, version2]) {
      const text = await ask(believing, lineOfVersion1, again, request);
      assert.match(text, /^HTTP\/1\.1 (400|505) /);
      assert.doesNotMatch(text, /seen/);
    }
  });

  test('is not believed of other peers, which are served as ever', async () => {
    assert.match(await ask(strict, request), /seen http 127\.0\.0\.1 \d+$/);
    for (const header of [lineOfVersion1, version2]) assert.doesNotMatch(await ask(strict, header, request), /seen/);
  });

  test('comes before TLS', async () => {
    for (const header of [lineOfVersion1, version2]) {
      const socket = connect({ port: secure, host: '127.0.0.1' });
      socket.write(header);
      const tls = connectTls({ socket, servername: 'example.com', rejectUnauthorized: false });
      tls.write(request);
      assert.match(await textOf(tls), /seen https 192\.0\.2\.[78] 4711$/);
    }
  });

  test('does not make the uws engine believe anybody', async () => {
    const fast = engineOf(createUwsEngine);
    const port = await fast.listen({ address: 'fast', host: '127.0.0.1', port: 0 });
    for (const header of [lineOfVersion1, version2]) {
      assert.doesNotMatch(await ask(port, header, request), /192\.0\.2\./);
    }
    fast.close();
  });
});
