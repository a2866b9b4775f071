import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** A JSON Web Signature, flattened (RFC 7515 section 7.2.2): the body of every request to an authority. */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** The public part of an account's key (RFC 7517), its members in the order of RFC 7638. */
export interface EcPublicJwk {
  readonly crv: string;
  readonly kty: 'EC';
  readonly x: string;
  readonly y: string;
}

/** Who signs: a new account by its key, a known one by its URL (RFC 8555 section 6.2). */
export type Signer = { readonly jwk: EcPublicJwk } | { readonly kid: string };

/** @param key ECDSA on P-256 */
export function publicJwk(key: KeyObject): EcPublicJwk {
  const { crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  if (crv === undefined || x === undefined || y === undefined) throw new TypeError('not the key of an elliptic curve');
  return { crv, kty: 'EC', x, y };
}

/** RFC 7638. */
export function thumbprint(jwk: EcPublicJwk): string {
  return createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
}

/**
 * Signs with ES256.
 * @param payload undefined for a POST-as-GET (RFC 8555 section 6.3)
 */
export function signRequest(
  key: KeyObject,
  header: Signer & { readonly nonce: string; readonly url: string },
  payload: object | undefined,
): Jws {
  const input = encode({ alg: 'ES256', ...header }, payload);
  const data = Buffer.from(`${input.protected}.${input.payload}`);
  return { ...input, signature: sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url') };
}

/**
 * Binds a new account to one that the authority knows otherwise (RFC 8555 section 7.3.4).
 * @param key in base64url, as the authority gives it out
 */
export function externalAccountBinding(jwk: EcPublicJwk, keyId: string, key: string, url: string): Jws {
  const input = encode({ alg: 'HS256', kid: keyId, url }, jwk);
  const mac = createHmac('sha256', Buffer.from(key, 'base64url'));
  return { ...input, signature: mac.update(`${input.protected}.${input.payload}`).digest('base64url') };
}

function encode(header: object, payload: object | undefined): Omit<Jws, 'signature'> {
  return { protected: base64url(header), payload: payload === undefined ? '' : base64url(payload) };
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
