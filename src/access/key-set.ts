import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type JwtAlgorithm, jwtAlgorithms } from './jwt-algorithm.ts';

/** A key of a set, and what it may be used for. */
export interface VerificationKey {
  readonly id: string | undefined;
  readonly key: KeyObject;
  readonly algorithms: ReadonlySet<JwtAlgorithm>;
}

const maxKeys = 100;
const minRsaBits = 2048;

/**
 * Reads a set of public keys (RFC 7517). Keys that are of no use are left out: for encryption, of unknown kinds, too short, damaged, and secret
 * ones: what everybody can read keeps no secret.
 * @throws Error when it is no set of keys
 */
export function parseKeySet(text: string): readonly VerificationKey[] {
  const set: unknown = JSON.parse(text);
  const keys = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(keys)) throw new Error('not a set of keys: there is no list "keys"');
  if (keys.length > maxKeys) throw new Error(`more than ${maxKeys} keys`);
  return keys.flatMap((one: unknown) => readKey(one) ?? []);
}

function readKey(jwk: unknown): VerificationKey | undefined {
  if (!isObject(jwk)) return undefined;
  const { kid, use, key_ops: operations, alg } = jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
  const names = Object.keys(jwtAlgorithms) as JwtAlgorithm[];
  const algorithms = new Set(names.filter((name) => fits(jwk, name) && (alg === undefined || alg === name)));
  if (algorithms.size === 0) return undefined;
  try {
    const key = createPublicKey({ key: publicPart(jwk), format: 'jwk' });
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < minRsaBits)
      return undefined;
    return { id: typeof kid === 'string' ? kid : undefined, key, algorithms };
  } catch {
    return undefined;
  }
}

function fits({ kty, crv }: Readonly<Record<string, unknown>>, name: JwtAlgorithm): boolean {
  const rule: { readonly keyType: string; readonly curve?: string } = jwtAlgorithms[name];
  if (rule.keyType === 'oct' || rule.keyType !== kty) return false;
  if (kty === 'OKP') return crv === 'Ed25519' || crv === 'Ed448';
  return rule.curve === undefined || rule.curve === crv;
}

function publicPart({ kty, crv, x, y, n, e }: Readonly<Record<string, unknown>>): JsonWebKey {
  const parts = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(parts) as JsonWebKey;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
