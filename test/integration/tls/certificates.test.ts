import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Engine } from '../../../src/listener/engine.ts';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { CertificateWatch } from '../../../src/tls/certificate-watch.ts';
import { type TlsConfig, TlsTerminator } from '../../../src/tls/tls-terminator.ts';
import { plain } from '../../support/contract-server.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { type TestCertificate, TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const made = new TestCertificates();
const engines = new Set<Engine>();
after(() => {
  // Those of tests that failed.
  for (const engine of engines) engine.close();
  made.remove();
});
const authority = readFileSync(made.authority);
const site = made.make('site', ['example.com', '*.example.com']);
const siteRsa = made.make('site-rsa', ['example.com'], { type: 'rsa' });
const other = made.make('other', ['other.test']);
const onlyRsa = made.make('only-rsa', ['rsa.test'], { type: 'rsa' });
const both = made.make('both', ['both.test']);
const bothRsa = made.make('both-rsa', ['both.test'], { type: 'rsa' });

function configOf(certificates: readonly TestCertificate[], more: Partial<TlsConfig> = {}): TlsConfig {
  return {
    certificates,
    unknownNames: 'default',
    minVersion: '1.2',
    handshakeTimeout: 10_000,
    ocsp: 'auto',
    http2: true,
    ...more,
  };
}

interface Served {
  readonly port: number;
  readonly terminator: TlsTerminator;
  close(): void;
}

async function serve(config: TlsConfig, terminator = new TlsTerminator(config)): Promise<Served> {
  const timeouts = { requestBodyMs: 60_000, sendMs: 60_000, minBodyRate: 0, minBodyRateGraceMs: 0 };
  const engine = createNodeEngine(
    {
      handle: (exchange) => exchange.respond(plain, Buffer.from(exchange.connection.scheme)),
      refuse: (exchange) => exchange.respond(plain, Buffer.from('refused')),
      finished: () => undefined,
    },
    timeouts,
  );
  engines.add(engine);
  const port = await engine.listen({ address: 'tls', host: '127.0.0.1', port: 0, tls: config }, terminator);
  return { port, terminator, close: () => engine.close() };
}

async function dial(port: number, servername: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername, ca: authority, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** The serial number of what the server shows for a name. */
async function shown(port: number, servername: string, options: ConnectionOptions = {}): Promise<string> {
  const socket = await dial(port, servername, options);
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

function serialOf({ certificate }: TestCertificate): string {
  const terminator = new TlsTerminator(configOf([{ certificate, key: certificate.replace('.pem', '.key') }]));
  return terminator.store.certificates[0]?.leaf.serialNumber ?? '';
}

describe('TLS on a listener', () => {
  test('answers HTTP/1.1 over TLS 1.3, and knows that the scheme is https', async () => {
    const server = await serve(configOf([site]));
    const socket = await dial(server.port, 'example.com');
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    socket.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await waitFor(() => text.endsWith('https'), 'the answer');
    socket.destroy();
    server.close();
  });

  test('chooses the certificate by the name that is asked for', async () => {
    const server = await serve(configOf([site, other]));
    assert.equal(await shown(server.port, 'example.com'), serialOf(site));
    assert.equal(await shown(server.port, 'WWW.Example.com'), serialOf(site));
    assert.equal(await shown(server.port, 'other.test'), serialOf(other));
    const strangers = { checkServerIdentity: () => undefined };
    assert.equal(await shown(server.port, 'a.b.example.com', strangers), serialOf(site));
    assert.equal(await shown(server.port, '', strangers), serialOf(site));
    server.close();
  });

  test('refuses unknown names where it is told to', async () => {
    const server = await serve(configOf([site], { unknownNames: 'refuse' }));
    await assert.rejects(dial(server.port, 'unknown.test'));
    assert.equal(await shown(server.port, 'example.com'), serialOf(site));
    server.close();
  });

  test('has RSA and ECDSA side by side for the same name', async () => {
    const server = await serve(configOf([site, siteRsa]));
    const only = (ciphers: string): ConnectionOptions => ({ ciphers, maxVersion: 'TLSv1.2' });
    assert.equal(await shown(server.port, 'example.com', only('ECDHE-ECDSA-AES128-GCM-SHA256')), serialOf(site));
    assert.equal(await shown(server.port, 'example.com', only('ECDHE-RSA-AES128-GCM-SHA256')), serialOf(siteRsa));
    server.close();
  });

  test('never shows the certificate of another name, whatever kinds of key the names have', async () => {
    const names = {
      'example.com': { ECDSA: site, RSA: siteRsa },
      'other.test': { ECDSA: other, RSA: undefined },
      'rsa.test': { ECDSA: undefined, RSA: onlyRsa },
      'both.test': { ECDSA: both, RSA: bothRsa },
    };
    const all = [site, siteRsa, other, onlyRsa, bothRsa, both];
    for (const certificates of [all, all.toReversed()]) {
      const server = await serve(configOf(certificates));
      for (const [name, kinds] of Object.entries(names)) {
        for (const [kind, certificate] of Object.entries(kinds)) {
          const sigalgs = kind === 'RSA' ? 'rsa_pss_rsae_sha256' : 'ecdsa_secp256r1_sha256';
          for (const options of [
            { ciphers: `ECDHE-${kind}-AES128-GCM-SHA256`, maxVersion: 'TLSv1.2' },
            { minVersion: 'TLSv1.3', sigalgs: `${sigalgs}:ecdsa_secp384r1_sha384` },
          ] as const) {
            const what = `${name} ${kind} ${JSON.stringify(options)}`;
            // The authority signs with a key of its own kind, which is none of the server's business.
            const got = shown(server.port, name, { ...options, rejectUnauthorized: false });
            if (certificate === undefined) await assert.rejects(got, what);
            else assert.equal(await got, serialOf(certificate), what);
          }
        }
      }
      server.close();
    }
  });

  test('counts clients that begin no handshake, or none that is one', async () => {
    const config = configOf([site, other], { handshakeTimeout: 300 });
    const failures: string[] = [];
    const events = {
      succeeded: () => undefined,
      failed: (error: Error & { code?: string }) => failures.push(error.code ?? ''),
    };
    const server = await serve(config, new TlsTerminator(config, events));
    const silent = connectPlain(server.port, '127.0.0.1');
    await once(silent, 'close');
    assert.deepEqual(failures.splice(0), ['ERR_TLS_HANDSHAKE_TIMEOUT']);
    const hasty = connectPlain(server.port, '127.0.0.1');
    hasty.end(Buffer.from([22, 3, 1]));
    await once(hasty, 'close');
    assert.deepEqual(failures.splice(0), ['ECONNRESET']);
    const wrong = connectPlain(server.port, '127.0.0.1');
    wrong.on('error', () => undefined);
    wrong.write('GET / HTTP/1.1\r\n\r\n');
    wrong.resume();
    await once(wrong, 'close');
    assert.equal(failures.length, 1);
    server.close();
  });

  test('speaks neither old versions nor weak ciphers', async () => {
    const server = await serve(configOf([site, siteRsa]));
    await assert.rejects(
      dial(server.port, 'example.com', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    );
    await assert.rejects(dial(server.port, 'example.com', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }));
    server.close();
  });

  test('lets nobody renegotiate', async () => {
    const server = await serve(configOf([site]));
    const socket = await dial(server.port, 'example.com', { maxVersion: 'TLSv1.2' });
    socket.on('error', () => undefined);
    const error = await new Promise((resolve) => {
      socket.renegotiate({}, resolve);
      socket.once('error', resolve);
    });
    assert.ok(error instanceof Error);
    socket.destroy();
    server.close();
  });

  test('takes changed files without a reload, and connections live on', async () => {
    const renewed = made.make('renewed', ['example.com']);
    const live = made.make('live', ['example.com']);
    const server = await serve(configOf([live]));
    const watch = new CertificateWatch(server.terminator, new RecordingLogger());
    const before = await dial(server.port, 'example.com');
    const former = await shown(server.port, 'example.com');
    copyFileSync(renewed.certificate, live.certificate);
    copyFileSync(renewed.key, live.key);
    await waitFor(async () => (await shown(server.port, 'example.com')) === serialOf(renewed), 'the new certificate');
    assert.notEqual(former, serialOf(renewed));
    before.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    const [answer] = (await once(before, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
    before.destroy();
    watch.close();
    server.close();
  });

  test('keeps what it has when a changed file cannot be used', async () => {
    const live = made.make('broken', ['example.com']);
    const server = await serve(configOf([live]));
    const logger = new RecordingLogger();
    const watch = new CertificateWatch(server.terminator, logger);
    const former = await shown(server.port, 'example.com');
    copyFileSync(join(made.folder, 'other.key'), live.key);
    await waitFor(() => logger.messages('error').length > 0, 'the complaint');
    assert.equal(await shown(server.port, 'example.com'), former);
    watch.close();
    server.close();
  });
});
