import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { challengeCertificate, standInCertificate } from '../../../src/acme/own-certificate.ts';

const now = Date.UTC(2030, 0, 15);

describe('a certificate of our own', () => {
  test('stands in for all names for a month, and belongs to its key', () => {
    const { certificate, key } = standInCertificate(['example.com', 'www.example.com'], now);
    const read = new X509Certificate(certificate);
    assert.equal(read.subjectAltName, 'DNS:example.com, DNS:www.example.com');
    assert.equal(Date.parse(read.validFrom), now - 86_400_000);
    assert.equal(Date.parse(read.validTo), now + 30 * 86_400_000);
    assert.ok(read.checkPrivateKey(createPrivateKey(key)));
    assert.ok(read.verify(read.publicKey), 'it is signed by another key');
    const again = new X509Certificate(standInCertificate(['example.com'], now).certificate);
    assert.notEqual(again.serialNumber, read.serialNumber);
  });

  test('shows an authority the digest of the key authorization in a critical extension (RFC 8737 section 3)', () => {
    const { certificate } = challengeCertificate('example.com', 'token.thumbprint', now);
    assert.equal(new X509Certificate(certificate).subjectAltName, 'DNS:example.com');
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: certificate }).toString();
    assert.match(text, /1\.3\.6\.1\.5\.5\.7\.1\.31: critical/);
    const digest = createHash('sha256').update('token.thumbprint').digest();
    const extension = Buffer.concat([Buffer.from([0x04, 34, 0x04, 32]), digest]);
    assert.ok(new X509Certificate(certificate).raw.includes(extension));
  });
});
