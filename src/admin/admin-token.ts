import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request has the token (RFC 6750 section 2.1): `Authorization: Bearer TOKEN`.
 * @param authorization the field, undefined where there is none
 */
export function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  // Hashed, so that neither length nor place of a difference shows in the time that it takes.
  return given !== undefined && timingSafeEqual(digestOf(given), digestOf(token));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
