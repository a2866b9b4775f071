import { X509Certificate } from 'node:crypto';
import {
  bitsOf,
  contentOf,
  contextTag,
  type DerValue,
  derTags,
  generalizedTimeOf,
  identifierOf,
  implicitTag,
  partsOf,
  readDer,
} from '../x509/der-reader.ts';
import { OcspError } from './ocsp-error.ts';

/** RFC 6960 section 4.2.1. */
const statusNames: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};
const basicResponse = '1.3.6.1.5.5.7.48.1.1';
const hashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
};
/** More than these nobody needs to send with a response. */
const mostCertificates = 4;

/** Who says to have signed: a name in DER, or the SHA-1 of a key. */
export type ResponderId = { readonly name: Buffer } | { readonly keyHash: Buffer };

/** What a response says of one certificate; not proven yet. */
export interface SingleResponse {
  /** Undefined for one that is not known here. */
  readonly hash: string | undefined;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  readonly serial: Buffer;
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
}

/** A response as it came. */
export interface OcspResponse {
  readonly responder: ResponderId;
  readonly singles: readonly SingleResponse[];
  /** What the signature is over. */
  readonly signed: Buffer;
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
  readonly certificates: readonly X509Certificate[];
}

/**
 * Reads a response (RFC 6960 section 4.2).
 * @throws OcspError `refused` when it is an answer without a response
 * @throws DerError when it is none
 */
export function readOcspResponse(bytes: Buffer): OcspResponse {
  const [status, wrapped] = partsOf(readDer(bytes));
  const code = contentOf(status, derTags.enumerated)[0] ?? 0;
  if (code !== 0) throw new OcspError('refused', `the responder answered ${statusNames[code] ?? `status ${code}`}`);
  const [type, value] = partsOf(readDer(contentOf(wrapped, contextTag(0))));
  if (identifierOf(type) !== basicResponse) throw new OcspError('invalid', 'a response of a kind that nobody knows');
  const [data, algorithm, signature, certificates] = partsOf(readDer(contentOf(value, derTags.octetString)));
  const parts = partsOf(data);
  // A version stands in front of responses that are not of version 1.
  const [responder, , singles, extensions] = parts[0]?.tag === contextTag(0) ? parts.slice(1) : parts;
  refuseCritical(extensions);
  return {
    responder: responderOf(responder),
    singles: partsOf(singles).map(singleOf),
    signed: data?.raw ?? Buffer.alloc(0),
    signatureAlgorithm: identifierOf(partsOf(algorithm)[0]),
    signature: bitsOf(signature),
    certificates: certificatesOf(certificates),
  };
}

function responderOf(value: DerValue | undefined): ResponderId {
  if (value?.tag === contextTag(2)) return { keyHash: contentOf(readDer(value.content), derTags.octetString) };
  return { name: readDer(contentOf(value, contextTag(1)), derTags.sequence).raw };
}

function singleOf(value: DerValue): SingleResponse {
  const [identifier, status, thisUpdate, ...others] = partsOf(value);
  const [algorithm, issuerNameHash, issuerKeyHash, serial] = partsOf(identifier);
  const nextUpdate = others.find(({ tag }) => tag === contextTag(0));
  refuseCritical(others.find(({ tag }) => tag === contextTag(1)));
  return {
    hash: hashes[identifierOf(partsOf(algorithm)[0])],
    issuerNameHash: contentOf(issuerNameHash, derTags.octetString),
    issuerKeyHash: contentOf(issuerKeyHash, derTags.octetString),
    serial: contentOf(serial, derTags.integer),
    status: status?.tag === implicitTag(0) ? 'good' : status?.tag === contextTag(1) ? 'revoked' : 'unknown',
    thisUpdate: generalizedTimeOf(thisUpdate),
    nextUpdate: nextUpdate === undefined ? undefined : generalizedTimeOf(readDer(nextUpdate.content)),
  };
}

/** No extension is understood here, and RFC 6960 section 4.4 has a response refused for one that has to be. */
function refuseCritical(extensions: DerValue | undefined): void {
  if (extensions === undefined) return;
  for (const extension of partsOf(readDer(extensions.content))) {
    const critical = partsOf(extension)[1];
    if (critical?.tag === derTags.boolean && critical.content[0] !== 0) {
      throw new OcspError('invalid', 'a response with an extension that has to be understood and is not');
    }
  }
}

function certificatesOf(value: DerValue | undefined): X509Certificate[] {
  if (value === undefined) return [];
  return partsOf(readDer(contentOf(value, contextTag(0))))
    .slice(0, mostCertificates)
    .map(({ raw }) => new X509Certificate(raw));
}
