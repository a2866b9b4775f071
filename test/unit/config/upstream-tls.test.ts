import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type LoadResult, loadConfig } from '../../../src/config/load.ts';
import { TestCertificates } from '../../support/test-certificates.ts';

const made = new TestCertificates();
const client = made.make('client', ['client.test']);
const other = made.make('other', ['other.test']);
after(() => made.remove());

function load(upstream: object): Promise<LoadResult> {
  const path = join(made.folder, 'portico.json');
  const sites = [{ routes: [{ path: '/', proxy: { upstream: 'app' } }] }];
  writeFileSync(path, JSON.stringify({ upstreams: { app: upstream }, sites }));
  return loadConfig({ kind: 'file', path }, {});
}

async function loaded(upstream: object) {
  const result = await load(upstream);
  assert.ok(result.ok, JSON.stringify(result));
  const { app } = result.config.upstreams;
  assert.ok(app !== undefined);
  return { app, warnings: result.warnings.join('\n') };
}

describe('TLS of an upstream', () => {
  test('is there, with everything verified, where the servers are https://', async () => {
    const { app, warnings } = await loaded({
      servers: ['https://app.test:8443', 'unix:/run/app.sock'],
      tls: { serverName: 'App.test' },
    });
    assert.deepEqual(app.tls, { verify: true, serverName: 'app.test' });
    assert.doesNotMatch(warnings, /verif/);
    assert.deepEqual((await loaded({ servers: ['https://app.test'] })).app.tls, { verify: true });
  });

  test('is not there otherwise', async () => {
    for (const server of ['http://app.test', 'app.test:80', 'unix:/run/app.sock', 'srv://app.test']) {
      assert.equal('tls' in (await loaded({ servers: [server] })).app, false);
    }
  });

  test('is for services and sockets where it is written down', async () => {
    const { app } = await loaded({ servers: ['srv://_https._tcp.app.test'], tls: {} });
    assert.deepEqual(app.tls, { verify: true });
    assert.deepEqual((await loaded({ servers: ['unix:/run/app.sock'], tls: { verify: false } })).app.tls, {
      verify: false,
    });
  });

  test('has the name of the URL for addresses that are servers of their own', async () => {
    const { app } = await loaded({ servers: [{ url: 'https://app.test:8443', perAddress: true }] });
    assert.equal(app.discovered[0]?.template.foundBy, 'app.test');
  });

  test('has absolute paths', async () => {
    const tls = { ca: 'authority.pem.ca', certificate: 'client.pem', key: 'client.key' };
    const { app } = await loaded({ servers: ['https://app.test'], tls });
    assert.deepEqual(app.tls, { verify: true, ca: made.authority, client });
  });

  test('that verifies nothing is warned of', async () => {
    const { warnings } = await loaded({ servers: ['https://app.test'], tls: { verify: false } });
    assert.match(
      warnings,
      /^the certificates of the servers of upstream app are not verified \(tls\.verify: false\)$/m,
    );
  });

  test('whose own certificate runs out is warned of', async () => {
    const old = made.make('old', ['old.test'], { days: -1 });
    const { warnings } = await loaded({ servers: ['https://app.test'], tls: old });
    assert.match(warnings, /old\.pem: it expired on \d{4}-/);
  });

  test('whose files do not belong together is refused', async () => {
    const wrong = { certificate: client.certificate, key: other.key };
    const result = await load({ servers: ['https://app.test'], tls: wrong });
    assert.ok(!result.ok);
    assert.match(result.problems[0]?.message ?? '', /the key does not belong to the certificate/);
    assert.equal(result.problems[0]?.keyPath, 'upstreams.app.tls.key');
  });

  test('whose authorities are damaged is refused', async () => {
    const damaged = join(made.folder, 'damaged');
    writeFileSync(damaged, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const result = await load({ servers: ['https://app.test'], tls: { ca: damaged } });
    assert.ok(!result.ok);
    assert.match(result.problems[0]?.message ?? '', /damaged: it is damaged/);
  });
});
