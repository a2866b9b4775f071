import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { certificateRequest } from '../../../src/acme/certificate-request.ts';
import { newPrivateKey } from '../../../src/acme/own-certificate.ts';

/** What OpenSSL makes of it, once it has checked the signature. */
function describeRequest(der: Buffer): string {
  const args = ['req', '-inform', 'DER', '-verify', '-noout', '-text'];
  return execFileSync('openssl', args, { input: der, stdio: ['pipe', 'pipe', 'ignore'] }).toString();
}

describe('a request for a certificate', () => {
  for (const type of ['ecdsa', 'rsa'] as const) {
    test(`with a key of ${type} is what OpenSSL reads and verifies`, () => {
      const text = describeRequest(certificateRequest(['example.com', 'www.example.com'], newPrivateKey(type).key));
      assert.match(text, /X509v3 Subject Alternative Name:\s+DNS:example\.com, DNS:www\.example\.com/);
      assert.match(text, /Subject:\s*$/m);
      assert.match(text, type === 'rsa' ? /sha256WithRSAEncryption/ : /ecdsa-with-SHA256/);
      assert.match(text, type === 'rsa' ? /Public-Key: \(2048 bit\)/ : /NIST CURVE: P-256/);
    });
  }

  test('holds as many names as an authority takes', () => {
    const domains = Array.from({ length: 100 }, (_, index) => `host-${index}.${'a'.repeat(60)}.example.com`);
    const text = describeRequest(certificateRequest(domains, newPrivateKey('ecdsa').key));
    assert.equal(text.match(/DNS:/g)?.length, 100);
  });
});
