import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { type AcmeConfig, certificateFiles } from '../../../src/acme/acme-config.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { readCertificate } from '../../../src/tls/certificate.ts';
import { ensureDebianPackage } from '../../support/debian-package.ts';
import { freePort } from '../../support/free-port.ts';
import { Pebble, type PebbleOptions } from '../../support/pebble.ts';
import { RunningIssuer } from '../../support/running-issuer.ts';
import { waitFor } from '../../support/wait-for.ts';

const skip = ensureDebianPackage('pebble', '/usr/bin/pebble') ?? false;
const yearMs = 365 * 86_400_000;

interface Scene {
  readonly issuer: RunningIssuer;
  readonly pebble: Pebble;
}

async function start(t: TestContext, options: PebbleOptions = {}): Promise<Scene> {
  const issuer = new RunningIssuer();
  t.after(() => issuer.close());
  await issuer.listen();
  const pebble = await Pebble.start({ httpPort: issuer.httpPort, ...options });
  t.after(() => pebble.stop());
  return { issuer, pebble };
}

function modesBelow(folder: string): Set<string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Set(
    entries.map((entry) => {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      return `${entry.isDirectory() ? 'folder' : 'file'} ${(mode & 0o777).toString(8)}`;
    }),
  );
}

describe('a certificate from pebble', { skip, concurrency: true }, () => {
  test('is issued by HTTP-01 for several names, and stored for the owner alone', async (t) => {
    const { issuer, pebble } = await start(t);
    const config = issuer.config(pebble, { domains: ['a.test', 'www.a.test'] });
    issuer.run(config);
    assert.ok(issuer.leaf(config).checkIssued(issuer.leaf(config)), 'nothing stands in');
    await issuer.ordered('a.test', 'issued');
    const { names, chain, leaf } = readCertificate(certificateFiles(config));
    assert.deepEqual([...names].toSorted(), ['a.test', 'www.a.test']);
    assert.equal(chain.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.match(leaf.issuer, /Pebble/);
    assert.deepEqual(modesBelow(issuer.storage), new Set(['folder 700', 'file 600']));
    // Nothing is answered any more.
    assert.equal(issuer.challenges.hasTokens, false);
    assert.equal(issuer.recorder.value(metricNames.acmeFailing, { certificate: 'a.test' }), 0);
  });

  test('is issued although the authority rejects half of the nonces', async (t) => {
    const { issuer, pebble } = await start(t, { rejectedNonces: 50 });
    issuer.run(issuer.config(pebble));
    await issuer.ordered('a.test', 'issued');
  });

  test('has an RSA key where that is asked for, and shares the account with another one', async (t) => {
    const { issuer, pebble } = await start(t);
    const rsa = issuer.config(pebble, { keyType: 'rsa' });
    const other = issuer.config(pebble, { domains: ['b.test'] });
    issuer.run(rsa, other);
    await issuer.ordered('a.test', 'issued');
    await issuer.ordered('b.test', 'issued');
    assert.equal(readCertificate(certificateFiles(rsa)).keyType, 'rsa');
    assert.equal(readCertificate(certificateFiles(other)).keyType, 'ec');
    assert.equal(readdirSync(join(issuer.storage, 'accounts')).length, 1);
  });

  test('is issued by TLS-ALPN-01 on the listener itself, which refuses other names', async (t) => {
    const issuer = new RunningIssuer();
    t.after(() => issuer.close());
    issuer.tlsPort = await freePort();
    const pebble = await Pebble.start({ tlsPort: issuer.tlsPort });
    t.after(() => pebble.stop());
    const config = issuer.config(pebble, { domains: ['a.test', 'b.test'], challenges: ['tls-alpn-01'] });
    issuer.run(config);
    const terminator = await issuer.listenSecurely(config);
    await issuer.ordered('a.test', 'issued');
    terminator.prepare()();
    const socket = connect({
      port: issuer.tlsPort,
      host: '127.0.0.1',
      servername: 'b.test',
      ca: [await pebble.root()],
      ALPNProtocols: ['http/1.1'],
    });
    t.after(() => socket.destroy());
    await waitFor(() => socket.authorized, 'a handshake that the root vouches for');
    assert.equal(socket.alpnProtocol, 'http/1.1');
  });

  test('is renewed after two thirds of its life, with another key', async (t) => {
    const { issuer, pebble } = await start(t);
    const config = issuer.config(pebble);
    issuer.run(config);
    await issuer.ordered('a.test', 'issued');
    const first = issuer.leaf(config);
    const lifeMs = Date.parse(first.validTo) - Date.parse(first.validFrom);
    issuer.crash();
    issuer.aheadMs = lifeMs * 0.65;
    issuer.run(config);
    const next = (): number => issuer.recorder.value(metricNames.acmeNextOrder, { certificate: 'a.test' });
    await waitFor(() => Math.abs(next() * 1000 - Date.parse(first.validFrom) - lifeMs * 0.66) < 1000, 'the time');
    assert.equal(issuer.leaf(config).fingerprint256, first.fingerprint256);
    issuer.crash();
    issuer.aheadMs = lifeMs * 0.67;
    issuer.run(config);
    await issuer.ordered('a.test', 'issued', 2);
    const second = issuer.leaf(config);
    assert.notEqual(second.serialNumber, first.serialNumber);
    assert.notDeepEqual(second.publicKey.export({ format: 'jwk' }), first.publicKey.export({ format: 'jwk' }));
  });

  test('is replaced when further names are wanted, and served until then', async (t) => {
    const { issuer, pebble } = await start(t);
    const config = issuer.config(pebble);
    issuer.run(config);
    await issuer.ordered('a.test', 'issued');
    const first = issuer.leaf(config);
    const more: AcmeConfig = { ...config, domains: ['a.test', 'more.test'] };
    issuer.run(more);
    assert.equal(issuer.leaf(more).fingerprint256, first.fingerprint256);
    await issuer.ordered('a.test', 'issued', 2);
    assert.ok(issuer.leaf(more).checkHost('more.test'));
  });

  test('is had with an account bound to another one', async (t) => {
    const key = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
    const { issuer, pebble } = await start(t, { externalAccounts: { known: key } });
    issuer.run(
      issuer.config(pebble, { externalAccount: { keyId: 'known', key } }),
      issuer.config(pebble, { domains: ['unbound.test'] }),
    );
    await issuer.ordered('a.test', 'issued');
    await issuer.ordered('unbound.test', 'refused');
    assert.match(issuer.logger.messages('error').join('\n'), /externalAccount is missing/);
    assert.ok(!issuer.logger.messages().some((line) => line.includes(key)));
  });

  test('is not issued for a name that leads elsewhere, which the log tells in the words of the authority', async (t) => {
    const { issuer, pebble } = await start(t, { httpPort: await freePort() });
    issuer.run(issuer.config(pebble));
    await issuer.ordered('a.test', 'validation');
    const [message = ''] = issuer.logger.messages('error');
    assert.match(
      message,
      /^no certificate for a\.test: a\.test could not be validated by http-01: connection: .*tried again in 180 s$/,
    );
    assert.equal(issuer.recorder.value(metricNames.acmeFailing, { certificate: 'a.test' }), 1);
    assert.equal(issuer.challenges.hasTokens, false);
    assert.deepEqual(readdirSync(join(issuer.storage, 'orders')), []);
  });

  test('is had after an end in the middle of the order, by the same order', async (t) => {
    const { issuer, pebble } = await start(t);
    const config = issuer.config(pebble);
    issuer.confirms = false;
    issuer.run(config);
    await waitFor(() => issuer.announced.length > 0, 'the challenges');
    const order = JSON.parse(readFileSync(join(issuer.storage, 'orders', 'a.test.json'), 'utf8')) as { key: string };
    issuer.crash();
    issuer.confirms = true;
    issuer.run(config);
    await issuer.ordered('a.test', 'issued');
    assert.equal(pebble.output.text.match(/Added order/g)?.length, 1);
    assert.ok(readCertificate(certificateFiles(config)).key.startsWith(order.key));
  });

  test('is had by another order where the authority has given up the one in the middle of which it ended', async (t) => {
    const { issuer, pebble } = await start(t);
    const config = issuer.config(pebble);
    issuer.run(config);
    await waitFor(() => issuer.announced.length > 0, 'the challenges');
    issuer.challenges.replace([]);
    await waitFor(() => /set INVALID/.test(pebble.output.text), 'the failure');
    issuer.crash();
    issuer.run(config);
    await issuer.ordered('a.test', 'issued');
    assert.equal(pebble.output.text.match(/Added order/g)?.length, 2);
  });

  test('is had with a new account where the authority has forgotten the former one', async (t) => {
    const { issuer, pebble } = await start(t);
    const config = issuer.config(pebble);
    issuer.run(config);
    await issuer.ordered('a.test', 'issued');
    issuer.crash();
    const file = join(issuer.storage, 'accounts', readdirSync(join(issuer.storage, 'accounts'))[0] ?? '');
    const account = JSON.parse(readFileSync(file, 'utf8')) as { url: string };
    writeFileSync(file, JSON.stringify({ ...account, url: `${account.url}0` }));
    issuer.aheadMs = 4.9 * yearMs;
    issuer.run(config);
    await issuer.ordered('a.test', 'issued', 2);
  });
});
