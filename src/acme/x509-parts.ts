import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  boolean,
  implicit,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utf8Text,
} from '../x509/der-writer.ts';

/* What certificates and requests for them have in common (RFC 5280, RFC 2986). */

const identifiers = {
  commonName: '2.5.4.3',
  subjectAltName: '2.5.29.17',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  rsaWithSha256: '1.2.840.113549.1.1.11',
} as const;
const dnsName = 2;

/** A distinguished name that is a common name, or nothing. */
export function distinguishedName(commonName?: string): Buffer {
  if (commonName === undefined) return sequence();
  return sequence(set(sequence(objectIdentifier(identifiers.commonName), utf8Text(commonName))));
}

export function extension(identifier: string, value: Buffer, { critical = false } = {}): Buffer {
  return sequence(objectIdentifier(identifier), ...(critical ? [boolean(true)] : []), octetString(value));
}

export function subjectAltName(domains: readonly string[]): Buffer {
  const names = domains.map((domain) => implicit(dnsName, Buffer.from(domain, 'latin1')));
  return extension(identifiers.subjectAltName, sequence(...names));
}

/** DER of the SubjectPublicKeyInfo that belongs to a private key. */
export function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

export function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(objectIdentifier(identifiers.rsaWithSha256), nullValue())
    : sequence(objectIdentifier(identifiers.ecdsaWithSha256));
}

/** What is to be signed with its signature. @param key RSA, or ECDSA on P-256 */
export function signed(content: Buffer, key: KeyObject): Buffer {
  return sequence(content, signatureAlgorithm(key), bitString(sign('sha256', content, key)));
}

/** @param label `CERTIFICATE` */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
