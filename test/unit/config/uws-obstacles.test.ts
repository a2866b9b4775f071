import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { TestCertificates } from '../../support/test-certificates.ts';

const made = new TestCertificates();
after(() => made.remove());
const site = made.make('site', ['a.test']);
const other = made.make('other', ['b.test']);
const responder = made.make('responder', ['a.test'], {
  extensions: ['authorityInfoAccess=OCSP;URI:http://127.0.0.1/'],
});

/** The engine that a listener gets, or what is wrong. */
async function engineFor(tls: object, engine: 'auto' | 'uws' | 'node' = 'auto'): Promise<string> {
  const path = join(made.folder, 'portico.json');
  const listen = [{ address: '127.0.0.1:0', engine, tls: { certificates: [site], http2: false, ...tls } }];
  writeFileSync(path, JSON.stringify({ listen, sites: [{ routes: [{ path: '/', respond: {} }] }] }));
  const loaded = await loadConfig({ kind: 'file', path }, {});
  return loaded.ok ? (loaded.config.listen[0]?.engine ?? '') : JSON.stringify(loaded.problems);
}

const obstacles: readonly (readonly [tls: object, said: RegExp])[] = [
  [{ http2: true }, /http2 \(set http2: false\)/],
  [{ certificates: [site, other] }, /more than one certificate/],
  [{ certificates: [], directory: made.folder }, /a directory of them/],
  [{ clientCertificates: { ca: made.authority } }, /clientCertificates/],
  [{ unknownNames: 'refuse' }, /unknownNames: refuse/],
  [{ minVersion: '1.3' }, /a minVersion of 1\.3/],
  [{ handshakeTimeout: '5s' }, /a handshakeTimeout other than 10s/],
  [{ certificates: [responder] }, /OCSP stapling \(set ocsp: off\)/],
];

describe('the engine of a listener with TLS', () => {
  test('is the fast one where that can do what is asked for', async () => {
    assert.equal(await engineFor({}), 'auto');
    assert.equal(await engineFor({}, 'uws'), 'uws');
    assert.equal(await engineFor({}, 'node'), 'node');
    assert.equal(await engineFor({ certificates: [responder], ocsp: 'off' }), 'auto');
  });

  for (const [tls, said] of obstacles) {
    test(`is the other one with ${JSON.stringify(Object.keys(tls))}, and uws a mistake: ${said.source}`, async () => {
      assert.equal(await engineFor(tls), 'node');
      assert.match(await engineFor(tls, 'uws'), said);
    });
  }
});
