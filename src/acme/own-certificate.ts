import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { generalizedTime, octetString, sequence, tagged, unsignedInteger } from '../x509/der-writer.ts';
import {
  distinguishedName,
  extension,
  publicKeyInfo,
  signatureAlgorithm,
  signed,
  subjectAltName,
  toPem,
} from './x509-parts.ts';

const acmeIdentifier = '1.3.6.1.5.5.7.1.31';
const version3 = 2;
const serialBytes = 16;
const commonName = 'Portico';
const dayMs = 86_400_000;

/** PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A new private key in PEM. */
export function newPrivateKey(type: 'ecdsa' | 'rsa'): { readonly key: KeyObject; readonly pem: string } {
  const { privateKey: key } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { key, pem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/**
 * A certificate that nobody vouches for, valid from a day ago for 30 days: stands in until an authority has given one.
 * @param now milliseconds since 1970
 */
export function standInCertificate(domains: readonly string[], now: number): KeyPair {
  return selfSigned(domains, [], { notBefore: now - dayMs, notAfter: now + 30 * dayMs });
}

/** What an authority is shown for TLS-ALPN-01 (RFC 8737 section 3). */
export function challengeCertificate(domain: string, keyAuthorization: string, now: number): KeyPair {
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const proof = extension(acmeIdentifier, octetString(digest), { critical: true });
  return selfSigned([domain], [proof], { notBefore: now - dayMs, notAfter: now + 7 * dayMs });
}

interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A self-signed certificate with a key of its own, ECDSA on P-256. */
export function selfSigned(domains: readonly string[], extensions: readonly Buffer[], validity: Validity): KeyPair {
  const { key, pem } = newPrivateKey('ecdsa');
  const name = distinguishedName(commonName);
  const content = sequence(
    tagged(0, unsignedInteger(Buffer.from([version3]))),
    unsignedInteger(randomBytes(serialBytes)),
    signatureAlgorithm(key),
    name,
    sequence(generalizedTime(validity.notBefore), generalizedTime(validity.notAfter)),
    name,
    publicKeyInfo(key),
    tagged(3, sequence(subjectAltName(domains), ...extensions)),
  );
  return { certificate: toPem('CERTIFICATE', signed(content, key)), key: pem };
}
