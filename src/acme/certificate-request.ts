import type { KeyObject } from 'node:crypto';
import { objectIdentifier, sequence, set, tagged, unsignedInteger } from '../x509/der-writer.ts';
import { distinguishedName, publicKeyInfo, signed, subjectAltName } from './x509-parts.ts';

const extensionRequest = '1.2.840.113549.1.9.14';

/**
 * A request for a certificate (PKCS #10, RFC 2986) in DER. The subject is empty: names stand in the extension alone.
 * @param key RSA, or ECDSA on P-256
 */
export function certificateRequest(domains: readonly string[], key: KeyObject): Buffer {
  const extensions = sequence(subjectAltName(domains));
  const attribute = sequence(objectIdentifier(extensionRequest), set(extensions));
  const version = unsignedInteger(Buffer.from([0]));
  return signed(sequence(version, distinguishedName(), publicKeyInfo(key), tagged(0, attribute)), key);
}
