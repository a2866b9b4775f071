import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { standInCertificate } from '../../../src/acme/own-certificate.ts';
import { renewalIdentifier } from '../../../src/acme/renewal-information.ts';
import { TestCertificates } from '../../support/test-certificates.ts';

const made = new TestCertificates();
after(() => made.remove());

describe("a certificate's name for renewal (RFC 9773 section 4.1)", () => {
  test("is that of its authority's key and its serial number", () => {
    const { certificate } = made.make('site', ['example.com']);
    const text = execFileSync('openssl', [
      'x509',
      '-in',
      certificate,
      '-noout',
      '-ext',
      'authorityKeyIdentifier',
    ]).toString();
    const keyId = (/([0-9A-F]{2}(?::[0-9A-F]{2}){19})/.exec(text)?.[1] ?? '').replaceAll(':', '');
    const leaf = new X509Certificate(readFileSync(certificate));
    const expected = [keyId, leaf.serialNumber].map((part) => Buffer.from(part, 'hex').toString('base64url'));
    assert.equal(keyId.length, 40, text);
    assert.equal(renewalIdentifier(leaf), expected.join('.'));
  });

  test('is none where it does not say who issued it', () => {
    assert.equal(
      renewalIdentifier(new X509Certificate(standInCertificate(['a.test'], Date.now()).certificate)),
      undefined,
    );
  });
});
