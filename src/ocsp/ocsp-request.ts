import { createHash, type X509Certificate } from 'node:crypto';
import { certificateParts } from '../x509/certificate-parts.ts';
import { element, nullValue, objectIdentifier, octetString, sequence } from '../x509/der-writer.ts';
import type { OcspSubject } from './ocsp-subject.ts';

/** SHA-1 names here and protects nothing: responders know certificates by it (RFC 5019 section 2.1.1). */
const sha1 = '1.3.14.3.2.26';
const integerTag = 0x02;

/** Asks about one certificate, without a nonce, so that the responder may answer what it has at hand (RFC 5019). */
export function ocspRequest(subject: OcspSubject): Buffer {
  const identifier = sequence(
    sequence(objectIdentifier(sha1), nullValue()),
    octetString(issuerNameHash(subject.leaf, 'sha1')),
    octetString(keyHash(subject.issuer, 'sha1')),
    element(integerTag, certificateParts(subject.leaf).serial),
  );
  return sequence(sequence(sequence(sequence(identifier))));
}

/** Hash of the name of a certificate's issuer. */
export function issuerNameHash(leaf: X509Certificate, hash: string): Buffer {
  return createHash(hash).update(certificateParts(leaf).issuer).digest();
}

/** Hash of a certificate's public key. */
export function keyHash(certificate: X509Certificate, hash: string): Buffer {
  return createHash(hash).update(certificateParts(certificate).publicKey).digest();
}
