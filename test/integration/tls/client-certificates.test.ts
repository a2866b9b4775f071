import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { HandshakeMetrics } from '../../../src/tls/handshake-metrics.ts';
import type { TlsConfig } from '../../../src/tls/tls-config.ts';
import { TlsTerminator } from '../../../src/tls/tls-terminator.ts';
import { plain } from '../../support/contract-server.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { type TestCertificate, TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const made = new TestCertificates();
const foreignAuthority = new TestCertificates();
after(() => {
  made.remove();
  foreignAuthority.remove();
});
const ca = readFileSync(made.authority);
const site = made.make('site', ['example.com']);
const good = made.make('good', [], { subject: '/O=Works/CN=alice' });
const expired = made.make('expired', [], { days: -1 });
const foreign = foreignAuthority.make('foreign', []);
const headers = { verified: 'X-Verified', subject: 'X-Subject', fingerprint: 'X-Fingerprint' };

interface Served {
  readonly port: number;
  readonly recorder: FakeRecorder;
  close(): void;
}

async function serve(clients: { mode: 'required' | 'optional'; revocationList?: string } | undefined): Promise<Served> {
  const timeouts = { requestBodyMs: 60_000, sendMs: 60_000, minBodyRate: 0, minBodyRateGraceMs: 0 };
  const engine = createNodeEngine(
    {
      handle: (exchange) => exchange.respond(plain, Buffer.from(exchange.connection.clientFields ?? '')),
      refuse: (exchange) => exchange.respond(plain, Buffer.from('refused')),
      finished: () => undefined,
    },
    timeouts,
  );
  const config: TlsConfig = {
    certificates: [site],
    unknownNames: 'default',
    minVersion: '1.2',
    handshakeTimeout: 10_000,
    ocsp: 'auto',
    http2: true,
    clientCertificates: clients && { ca: made.authority, headers, ...clients },
  };
  const recorder = new FakeRecorder();
  const terminator = new TlsTerminator(config, new HandshakeMetrics(recorder));
  terminator.setTicketKey(Buffer.alloc(48, 7));
  const port = await engine.listen({ address: 'tls', host: '127.0.0.1', port: 0, tls: config }, terminator);
  return { port, recorder, close: () => engine.close() };
}

function optionsOf(port: number, client: TestCertificate | undefined): ConnectionOptions {
  const shown = client && { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
  return { port, host: '127.0.0.1', servername: 'example.com', ca, ...shown };
}

/** What the application is told; rejects when the connection is closed instead. */
async function told(port: number, client: TestCertificate | undefined, more: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ ...optionsOf(port, client), ...more });
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  if (text === '') throw new Error('closed');
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

async function toldByHttp2(port: number, client: TestCertificate | undefined): Promise<string> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, optionsOf(port, client));
  const stream = session.request({ ':path': '/', ':authority': 'example.com' });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  try {
    await Promise.race([once(stream, 'end'), once(session, 'error').then(([error]) => Promise.reject(error as Error))]);
    if (text === '') throw new Error('closed');
    return text;
  } finally {
    session.destroy();
  }
}

const success = /^X-Verified: SUCCESS\r\nX-Subject: CN=alice,O=Works\r\nX-Fingerprint: [0-9a-f]{64}\r\n$/;

for (const [version, ask] of [
  ['HTTP/1.1', told],
  ['HTTP/2', toldByHttp2],
] as const) {
  describe(`a listener that asks for certificates, over ${version}`, () => {
    test('tells the application of a good one', async () => {
      const server = await serve({ mode: 'required' });
      assert.match(await ask(server.port, good), success);
      server.close();
    });

    test('closes connections without a good one where it is required', async () => {
      const server = await serve({ mode: 'required' });
      for (const bad of [undefined, expired, foreign]) await assert.rejects(ask(server.port, bad));
      const refused = () => server.recorder.value(metricNames.tlsHandshakesFailed, { reason: 'client_certificate' });
      await waitFor(() => refused() === 3, 'the counts');
      server.close();
    });

    test('says what is wrong, and no more, where it is optional', async () => {
      const server = await serve({ mode: 'optional' });
      assert.match(await ask(server.port, good), success);
      assert.equal(await ask(server.port, undefined), 'X-Verified: NONE\r\n');
      assert.equal(await ask(server.port, expired), 'X-Verified: FAILED:CERT_HAS_EXPIRED\r\n');
      assert.match(await ask(server.port, foreign), /^X-Verified: FAILED:[A-Z_]+\r\n$/);
      server.close();
    });
  });
}

test('a session of a listener that asks for none opens no listener that requires one', async () => {
  const [open, closed] = [await serve(undefined), await serve({ mode: 'required' })];
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = connect({ ...optionsOf(open.port, undefined), maxVersion });
    const session = once(socket, 'session') as Promise<[Buffer]>;
    socket.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    const [ticket] = await session;
    socket.destroy();
    await assert.rejects(told(closed.port, undefined, { session: ticket, maxVersion }));
    assert.match(await told(closed.port, good, { session: ticket, maxVersion }), success);
  }
  open.close();
  closed.close();
});

test('a certificate on the revocation list is good no more', async () => {
  const revocationList = join(made.folder, 'revoked.crl');
  writeFileSync(revocationList, made.revocationList([good]));
  const server = await serve({ mode: 'optional', revocationList });
  assert.equal(await told(server.port, good), 'X-Verified: FAILED:CERT_REVOKED\r\n');
  const other = made.make('other', [], { subject: '/CN=bob' });
  assert.match(await told(server.port, other), /^X-Verified: SUCCESS\r\nX-Subject: CN=bob\r\n/);
  server.close();
});
