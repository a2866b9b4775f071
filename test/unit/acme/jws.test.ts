import assert from 'node:assert/strict';
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { describe, test } from 'node:test';
import { externalAccountBinding, publicJwk, signRequest, thumbprint } from '../../../src/acme/jws.ts';
import { newPrivateKey } from '../../../src/acme/own-certificate.ts';

const { key } = newPrivateKey('ecdsa');
const url = 'https://ca.example/order';

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

describe('a signed request', () => {
  test('is signed with ES256 in the form of JWS, not of DER', () => {
    const jws = signRequest(key, { kid: 'https://ca.example/account', nonce: 'nonce', url }, { a: 1 });
    assert.deepEqual(decode(jws.protected), { alg: 'ES256', kid: 'https://ca.example/account', nonce: 'nonce', url });
    assert.deepEqual(decode(jws.payload), { a: 1 });
    const signature = Buffer.from(jws.signature, 'base64url');
    assert.equal(signature.length, 64);
    const data = Buffer.from(`${jws.protected}.${jws.payload}`);
    assert.ok(verify('sha256', data, { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, signature));
  });

  test('has an empty payload where something is only read (RFC 8555 section 6.3)', () => {
    assert.equal(signRequest(key, { kid: 'x', nonce: 'nonce', url }, undefined).payload, '');
  });

  test('carries the public part of the key and nothing else, in the order of the thumbprint (RFC 7638)', () => {
    const jwk = publicJwk(key);
    assert.deepEqual(Object.keys(jwk), ['crv', 'kty', 'x', 'y']);
    const text = `{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`;
    assert.equal(thumbprint(jwk), createHash('sha256').update(text).digest('base64url'));
    assert.throws(() => publicJwk(newPrivateKey('rsa').key), TypeError);
  });

  test('binds an account with HS256 by the key that the authority gave (RFC 8555 section 7.3.4)', () => {
    const jwk = publicJwk(key);
    const jws = externalAccountBinding(jwk, 'known', Buffer.from('secret').toString('base64url'), url);
    assert.deepEqual(decode(jws.protected), { alg: 'HS256', kid: 'known', url });
    assert.deepEqual(decode(jws.payload), jwk);
    const mac = createHmac('sha256', 'secret').update(`${jws.protected}.${jws.payload}`).digest('base64url');
    assert.equal(jws.signature, mac);
  });
});
