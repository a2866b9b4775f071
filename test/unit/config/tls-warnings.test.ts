import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { type TestCertificate, TestCertificates } from '../../support/test-certificates.ts';

const made = new TestCertificates();
after(() => made.remove());

async function warnings(
  certificate: TestCertificate,
  hosts: readonly string[] = [],
  tls: object = {},
): Promise<string> {
  const path = join(made.folder, 'portico.json');
  const site = { ...(hosts.length > 0 && { hosts }), routes: [{ path: '/', respond: {} }] };
  const listen = [{ address: '127.0.0.1:0', tls: { certificates: [certificate], ...tls } }];
  writeFileSync(path, JSON.stringify({ listen, sites: [site] }));
  const loaded = await loadConfig({ kind: 'file', path }, {});
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.warnings.join('\n');
}

describe('the check of a configuration', () => {
  test('warns of certificates that have expired or will soon', async () => {
    assert.match(await warnings(made.make('old', ['a.test'], { days: -1 })), /old\.pem: it expired on \d{4}-/);
    assert.match(await warnings(made.make('soon', ['a.test'], { days: 12 })), /it expires on .*, in 1[12] days/);
    assert.doesNotMatch(await warnings(made.make('long', ['a.test'])), /expire/);
  });

  test('warns of a chain that is not complete', async () => {
    const leaf = made.make('leaf', ['a.test'], { issuer: made.intermediate });
    assert.match(await warnings(leaf), /leaf\.pem: the chain is not complete: "intermediate"/);
  });

  test('warns of a certificate that promises a stapled response which nobody can send', async () => {
    const feature = 'tlsfeature=status_request';
    const responder = 'authorityInfoAccess=OCSP;URI:http://127.0.0.1/';
    const mute = made.make('mute', ['a.test'], { extensions: [feature] });
    assert.match(
      await warnings(mute),
      /mute\.pem: it promises a stapled OCSP response, and it names no OCSP responder/,
    );
    const promising = made.make('promising', ['a.test'], { extensions: [feature, responder] });
    assert.match(await warnings(promising, [], { ocsp: 'off' }), /and ocsp is off: clients refuse it/);
    assert.doesNotMatch(await warnings(promising), /promises/);
  });

  test('warns of hosts that no certificate is for', async () => {
    const site = made.make('site', ['a.test', '*.b.test']);
    const said = await warnings(site, ['a.test', 'www.b.test', 'c.test', '*.a.test', '192.0.2.1']);
    assert.match(said, /^no certificate is for c\.test, \*\.a\.test: browsers refuse them$/m);
    assert.doesNotMatch(await warnings(site, ['A.test', '*.b.test']), /no certificate is for/);
  });
});
