import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ensureDebianPackage } from '../support/debian-package.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { TestCertificates } from '../support/test-certificates.ts';

const program = '/usr/bin/sslscan';
const skip = ensureDebianPackage('sslscan', program) ?? false;
const made = new TestCertificates();
after(() => made.remove());

const ecdsa = made.make('scan', ['localhost']);
const rsa = made.make('scan-rsa', ['localhost'], { type: 'rsa' });
const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: {} }] }]\n';

test('sslscan finds nothing weak in what is offered by default', { skip }, async (t) => {
  const portico = await RunningPortico.start(t, hello, { workers: 1, tls: { certificates: [ecdsa, rsa] } });
  const args = ['--no-colour', '--sni-name=localhost', `127.0.0.1:${portico.port}`];
  const { stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  for (const version of ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1']) {
    assert.match(stdout, new RegExp(`^${version.replace('.', '\\.')}\\s+disabled$`, 'm'));
  }
  for (const version of ['TLSv1\\.2', 'TLSv1\\.3']) assert.match(stdout, new RegExp(`^${version}\\s+enabled$`, 'm'));
  assert.match(stdout, /Session renegotiation not supported/);
  assert.doesNotMatch(stdout, /: vulnerable|is vulnerable to heartbleed/);
  const ciphers = [...stdout.matchAll(/^(?:Preferred|Accepted)\s+\S+\s+(\d+) bits\s+(\S+)/gm)];
  assert.ok(ciphers.length >= 9);
  for (const [, bits, name = ''] of ciphers) {
    assert.ok(Number(bits) >= 128);
    assert.match(name, /^(?:TLS_|ECDHE-).*(?:GCM|CHACHA20)/);
  }
});

const testssl = '/usr/bin/testssl';
const skipTestssl = ensureDebianPackage('testssl.sh', testssl) ?? false;
/** All that is not about the certificate itself takes minutes: `PORTICO_TESTSSL=whole`. */
const checks =
  process.env['PORTICO_TESTSSL'] === 'whole'
    ? ['-p', '-s', '-f', '-P', '-U']
    : ['-p', '-P', '-H', '-I', '-T', '-R', '-C', '-W'];
const grave = new Set(['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL']);

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/** What testssl.sh says of a port. */
function scan(port: number, folder: string): Finding[] {
  const report = join(folder, `testssl-${port}.json`);
  const options = ['--quiet', '--color', '0', '--warnings', 'off', '--jsonfile', report, ...checks];
  spawnSync(testssl, [...options, `localhost:${port}`], { stdio: 'ignore', timeout: 900_000 });
  const findings: Finding[] = JSON.parse(readFileSync(report, 'utf8'));
  const good = new Set(findings.filter(({ severity }) => severity === 'OK').map(({ id }) => id));
  for (const id of [
    'SSLv3',
    'TLS1_1',
    'TLS1_2',
    'TLS1_3',
    'heartbleed',
    'secure_client_renego',
    'CRIME_TLS',
    'SWEET32',
  ]) {
    assert.ok(
      good.has(id) || findings.some((one) => one.id === id && one.severity === 'INFO'),
      `${id} was not checked`,
    );
  }
  return findings.filter(({ severity }) => grave.has(severity));
}

test('testssl.sh has nothing against what is offered by default', { skip: skipTestssl }, async (t) => {
  const portico = await RunningPortico.start(t, hello, { workers: 1, tls: { certificates: [ecdsa, rsa] } });
  assert.deepEqual(scan(portico.port, portico.folder), []);
});

test('testssl.sh has nothing against the uws engine but that clients choose among good ciphers', {
  skip: skipTestssl,
}, async (t) => {
  const tls = { http2: false, certificates: [ecdsa] };
  const portico = await RunningPortico.start(t, hello, { workers: 1, engine: 'uws', tls });
  // The "intermediate" recommendation leaves the order to clients; BoringSSL's cannot be set through uWebSockets.js.
  const found = scan(portico.port, portico.folder).filter(({ id }) => id !== 'cipher_order');
  assert.deepEqual(found, []);
});
