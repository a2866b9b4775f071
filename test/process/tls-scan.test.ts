import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { ensureDebianPackage } from '../support/debian-package.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { TestCertificates } from '../support/test-certificates.ts';

const program = '/usr/bin/sslscan';
const skip = ensureDebianPackage('sslscan', program) ?? false;
const made = new TestCertificates();
after(() => made.remove());

test('sslscan finds nothing weak in what is offered by default', { skip }, async (t) => {
  const certificates = [made.make('scan', ['localhost']), made.make('scan-rsa', ['localhost'], { type: 'rsa' })];
  const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: {} }] }]\n';
  const portico = await RunningPortico.start(t, hello, { workers: 1, tls: { certificates } });
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
