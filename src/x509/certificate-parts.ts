import type { X509Certificate } from 'node:crypto';
import { bitsOf, contentOf, contextTag, type DerValue, derTags, identifierOf, partsOf, readDer } from './der-reader.ts';

/** What of a certificate (RFC 5280 section 4.1) Node.js does not give. */
export interface CertificateParts {
  /** Content of the integer. */
  readonly serial: Buffer;
  /** Names in DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** The public key without what says of which kind it is. */
  readonly publicKey: Buffer;
  /** Values of the extensions by their identifiers. */
  readonly extensions: ReadonlyMap<string, Buffer>;
}

/** @throws DerError for a certificate that is damaged */
export function certificateParts({ raw }: X509Certificate): CertificateParts {
  const [toBeSigned] = partsOf(readDer(raw));
  const parts = partsOf(toBeSigned);
  // A version stands in front but for certificates of version 1.
  const [serial, , issuer, , subject, keyInfo, ...others] = parts[0]?.tag === contextTag(0) ? parts.slice(1) : parts;
  const extensions = others.find(({ tag }) => tag === contextTag(3));
  return {
    serial: contentOf(serial, derTags.integer),
    issuer: rawOf(issuer),
    subject: rawOf(subject),
    publicKey: bitsOf(partsOf(keyInfo)[1]),
    extensions: new Map(extensions === undefined ? [] : partsOf(readDer(extensions.content)).map(extensionOf)),
  };
}

function rawOf(name: DerValue | undefined): Buffer {
  contentOf(name, derTags.sequence);
  return name?.raw ?? Buffer.alloc(0);
}

function extensionOf(value: DerValue): [string, Buffer] {
  const parts = partsOf(value);
  return [identifierOf(parts[0]), contentOf(parts.at(-1), derTags.octetString)];
}
