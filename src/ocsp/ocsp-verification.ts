import { verify, type X509Certificate } from 'node:crypto';
import { certificateParts } from '../x509/certificate-parts.ts';
import { DerError } from '../x509/der-reader.ts';
import { OcspError } from './ocsp-error.ts';
import { issuerNameHash, keyHash } from './ocsp-request.ts';
import { type OcspResponse, type ResponderId, readOcspResponse, type SingleResponse } from './ocsp-response.ts';
import { isIssuer, type OcspSubject } from './ocsp-subject.ts';

/** Clocks differ by so much. */
const skewMs = 5 * 60_000;
/** How long a response counts that does not say when there will be another. */
const unboundedMs = 3_600_000;
/** Extended key usage of those that an issuer has answer in its place (RFC 6960 section 4.2.2.2). */
const ocspSigning = '1.3.6.1.5.5.7.3.9';
/** Signatures by their identifiers. Those with SHA-1 prove nothing any more. */
const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

/** A response that proves that a certificate is good. */
export interface Staple {
  /** As it is sent to clients. */
  readonly response: Buffer;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly validUntil: number;
}

/**
 * Checks what came from a responder as clients do (RFC 6960 section 3.2).
 * @param now milliseconds since 1970
 * @throws OcspError when it does not prove that the certificate is good
 */
export function verifyResponse(bytes: Buffer, subject: OcspSubject, now: number): Staple {
  const response = read(bytes);
  const single = response.singles.find((one) => isAbout(one, subject));
  if (single === undefined) throw new OcspError('invalid', 'a response about another certificate');
  if (!isSigned(response, subject.issuer, now)) {
    throw new OcspError('invalid', 'a response without a signature by the issuer or by one whom it has appointed');
  }
  const { thisUpdate, nextUpdate = thisUpdate + unboundedMs, status } = single;
  if (thisUpdate > now + skewMs) throw new OcspError('stale', `a response from the future: ${timeText(thisUpdate)}`);
  if (nextUpdate <= now) throw new OcspError('stale', `a response that counted until ${timeText(nextUpdate)}`);
  if (status !== 'good') throw new OcspError(status, `the responder says that the certificate is ${status}`);
  return { response: bytes, thisUpdate, validUntil: nextUpdate };
}

function read(bytes: Buffer): OcspResponse {
  try {
    return readOcspResponse(bytes);
  } catch (cause) {
    if (cause instanceof OcspError) throw cause;
    const why = cause instanceof DerError ? cause.message : 'a certificate in it is damaged';
    throw new OcspError('invalid', `what came is no OCSP response: ${why}`, { cause });
  }
}

function isAbout(single: SingleResponse, { leaf, issuer }: OcspSubject): boolean {
  const { hash, serial } = single;
  return (
    hash !== undefined &&
    serial.equals(certificateParts(leaf).serial) &&
    single.issuerNameHash.equals(issuerNameHash(leaf, hash)) &&
    single.issuerKeyHash.equals(keyHash(issuer, hash))
  );
}

function isSigned(response: OcspResponse, issuer: X509Certificate, now: number): boolean {
  const digest = digests[response.signatureAlgorithm];
  if (digest === undefined) return false;
  const appointed = response.certificates.filter((one) => isAppointed(one, issuer, now));
  const signer = [issuer, ...appointed].find((one) => isNamed(one, response.responder));
  if (signer === undefined) return false;
  try {
    return verify(digest, response.signed, signer.publicKey, response.signature);
  } catch {
    // A signature of another kind than the key.
    return false;
  }
}

function isAppointed(certificate: X509Certificate, issuer: X509Certificate, now: number): boolean {
  if (!certificate.keyUsage?.includes(ocspSigning) || !isIssuer(issuer, certificate)) return false;
  return Date.parse(certificate.validFrom) <= now + skewMs && Date.parse(certificate.validTo) > now;
}

function isNamed(certificate: X509Certificate, responder: ResponderId): boolean {
  return 'name' in responder
    ? certificateParts(certificate).subject.equals(responder.name)
    : keyHash(certificate, 'sha1').equals(responder.keyHash);
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
