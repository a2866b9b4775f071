import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, describe, test } from 'node:test';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { metricNames } from '../../../src/metrics/names.ts';
import type { Lookup } from '../../../src/upstream/resolver.ts';
import type { FakeExchange } from '../../support/fake-exchange.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { serverConfig } from '../../support/server-config.ts';
import { type TestCertificate, TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const made = new TestCertificates();
const others = new TestCertificates();
const good = made.make('good', ['127.0.0.1', 'app.test']);
const { authority: ca } = made;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
after(() => {
  made.remove();
  others.remove();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

function options({ certificate, key }: TestCertificate, more: TlsOptions = {}): TlsOptions {
  return { cert: readFileSync(certificate), key: readFileSync(key), ...more };
}

async function secureOrigin(certificate = good, more: TlsOptions = {}): Promise<ScriptedOrigin> {
  return closing(await ScriptedOrigin.answering(ok, { tls: options(certificate, more) }));
}

function codeOf(exchange: FakeExchange): string {
  return `${exchange.status} ${exchange.context?.error?.code}`;
}

function failures(proxied: Proxied, server: string, reason: string): number {
  return proxied.recorder.value(metricNames.upstreamTlsHandshakesFailed, { upstream: 'app', server, reason });
}

const bad: readonly (readonly [what: string, certificate: TestCertificate, reason: string, words: RegExp])[] = [
  ['has expired', made.make('expired', ['127.0.0.1'], { days: -1 }), 'expired', /has expired/],
  ['is for another name', made.make('other', ['other.test']), 'name_mismatch', /for another name/],
  [
    'is for the address in its common name only',
    made.make('common', [], { subject: '/CN=127.0.0.1' }),
    'name_mismatch',
    /another name/,
  ],
  ['is by an unknown authority', others.make('foreign', ['127.0.0.1']), 'unknown_authority', /authority is not known/],
  ['is self-signed', others.root, 'self_signed', /self-signed/],
];

describe('a server whose certificate', () => {
  for (const [what, certificate, reason, words] of bad) {
    test(`${what} is refused before anything is sent, with a reason`, async () => {
      const origin = await secureOrigin(certificate);
      const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca } }));
      const exchange = await proxied.ask({ method: 'POST', body: 'secret' });
      assert.equal(codeOf(exchange), '502 upstream_certificate');
      assert.match(exchange.context?.error?.message ?? '', words);
      assert.match(proxied.upstream.states()[0]?.lastError ?? '', words);
      assert.equal(origin.requests.length, 0);
      assert.equal(failures(proxied, origin.server().name, reason), 1);
    });

    test(`${what} is taken when nothing is verified`, async () => {
      const origin = await secureOrigin(certificate);
      const proxied = closing(new Proxied([origin.server()], { tls: { verify: false } }));
      assert.equal((await proxied.ask()).status, 200);
    });
  }

  test('is refused costs no request when there is another server, whatever the method', async () => {
    const [wrong, right] = [await secureOrigin(bad[0]?.[1]), await secureOrigin()];
    const proxied = closing(new Proxied([wrong.server(), right.server()], { tls: { verify: true, ca } }));
    for (let turn = 0; turn < 4; turn++)
      assert.equal((await proxied.ask({ method: 'POST', body: 'data' })).status, 200);
    assert.equal(right.requests.length, 4);
    assert.equal(failures(proxied, wrong.server().name, 'expired'), 1, 'it is passed over after the first time');
    const labels = { upstream: 'app', server: wrong.server().name, code: 'upstream_certificate' };
    assert.equal(proxied.recorder.value(metricNames.upstreamFailures, labels), 1);
  });

  test('is by an authority that the system does not know is refused where none is named', async () => {
    const origin = await secureOrigin();
    const proxied = closing(new Proxied([origin.server()], { tls: { verify: true } }));
    assert.equal(codeOf(await proxied.ask()), '502 upstream_certificate');
  });

  test('is self-signed is good when it is the authority itself', async () => {
    const pinned = made.make('pinned', ['127.0.0.1'], { issuer: made.root });
    const origin = await secureOrigin(pinned);
    const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca } }));
    assert.equal((await proxied.ask()).status, 200);
  });
});

describe('the name of a server', () => {
  /** What clients asked for, connection by connection; false for nothing. */
  async function naming(certificate: TestCertificate) {
    const names: unknown[] = [];
    const onConnection = (socket: unknown): undefined => void names.push((socket as TLSSocket).servername);
    const origin = closing(await ScriptedOrigin.answering(ok, { tls: options(certificate), onConnection }));
    return { origin, names };
  }
  const lookup: Lookup = (_host, found) => setImmediate(found, undefined, ['127.0.0.1']);
  const onlyNamed = made.make('only-named', ['app.test']);

  test('is asked for and verified', async () => {
    const { origin, names } = await naming(onlyNamed);
    const server = serverConfig({ host: 'app.test', port: origin.port });
    const proxied = closing(new Proxied([server], { tls: { verify: true, ca } }, {}, lookup));
    assert.equal((await proxied.ask()).status, 200);
    assert.deepEqual(names, ['app.test']);
  });

  test('is not asked for when it is an address, which is verified', async () => {
    const { origin, names } = await naming(good);
    const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca } }));
    assert.equal((await proxied.ask()).status, 200);
    assert.deepEqual(names, [false]);
  });

  test('is the configured one where there is one', async () => {
    const { origin, names } = await naming(onlyNamed);
    const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca, serverName: 'app.test' } }));
    assert.equal((await proxied.ask()).status, 200);
    assert.deepEqual(names, ['app.test']);
  });

  test('is that of the URL for each of its addresses that is a server of its own', async () => {
    const { origin, names } = await naming(onlyNamed);
    const source = { host: 'app.test', port: origin.port };
    const template = { weight: 1, level: 0, state: 'ready', foundBy: 'app.test' } as const;
    const discovered = [{ name: 'app.test', source, interval: 1000, template }];
    const proxied = closing(new Proxied([], { discovered, tls: { verify: true, ca } }, {}, lookup));
    await waitFor(() => proxied.upstream.servers.length === 1, 'the address');
    assert.equal((await proxied.ask()).status, 200);
    assert.deepEqual(names, ['app.test']);
  });

  test('stands in the Host field where that is wanted, with its port', async () => {
    const { origin } = await naming(good);
    const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca } }, { host: 'upstream' }));
    await proxied.ask();
    assert.match(origin.requests[0]?.head ?? '', new RegExp(`\\r\\nHost: 127\\.0\\.0\\.1:${origin.port}\\r\\n`));
  });
});

describe('a server that asks for a certificate', () => {
  const asking: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(ca) };

  test('is shown the configured one', async () => {
    let seen = '';
    const onConnection = (socket: unknown): undefined =>
      void (seen = (socket as TLSSocket).getPeerX509Certificate()?.subject ?? '');
    const origin = closing(await ScriptedOrigin.answering(ok, { tls: options(good, asking), onConnection }));
    const client = made.make('client', [], { subject: '/CN=portico' });
    const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca, client } }));
    assert.equal((await proxied.ask()).status, 200);
    assert.equal(seen, 'CN=portico');
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`and gets none costs a 502 (${maxVersion})`, async () => {
      const origin = await secureOrigin(good, { ...asking, maxVersion });
      const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca } }));
      assert.equal((await proxied.ask()).status, 502);
      assert.equal(origin.requests.length, 0);
    });
  }
});

describe('a session', () => {
  for (const version of ['1.2', '1.3'] as const) {
    test(`of TLS ${version} is resumed by the next connection`, async () => {
      const origin = await secureOrigin(good, { maxVersion: `TLSv${version}` });
      const proxied = closing(new Proxied([origin.server()], { tls: { verify: true, ca }, keepAlive: { maxIdle: 0 } }));
      for (let turn = 0; turn < 3; turn++) assert.equal((await proxied.ask()).status, 200);
      const count = (resumed: string): number =>
        proxied.recorder.value(metricNames.upstreamTlsHandshakes, { upstream: 'app', version, resumed });
      assert.deepEqual([count('no'), count('yes')], [1, 2]);
      assert.equal(proxied.recorder.value(metricNames.upstreamTlsHandshake, { upstream: 'app' }), 3);
    });
  }

  test('is not carried over to other files', async () => {
    const origin = await secureOrigin();
    const changes = { tls: { verify: false }, keepAlive: { maxIdle: 0 } };
    const first = closing(new Proxied([origin.server()], changes));
    assert.equal((await first.ask()).status, 200);
    const { readUpstreamContext } = await import('../../../src/tls/upstream-context.ts');
    const tls = { verify: true, ca: others.authority };
    first.upstream.reconfigure({ ...first.upstream.config, tls }, readUpstreamContext(tls));
    assert.equal(codeOf(await first.ask()), '502 upstream_certificate');
  });
});
