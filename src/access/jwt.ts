import type { KeyObject } from 'node:crypto';
import { isJwtAlgorithm, type JwtAlgorithm, verifySignature } from './jwt-algorithm.ts';
import { isObject } from './key-set.ts';

/** What a token must say. Times in milliseconds. */
export interface JwtRules {
  readonly algorithms: readonly JwtAlgorithm[];
  /** One of these must have issued it; any when empty. */
  readonly issuer: readonly string[];
  /** It must be for one of these; for anybody when empty. */
  readonly audience: readonly string[];
  readonly leeway: number;
  readonly requireExpiry: boolean;
}

/** The parts of a token, read but not believed. */
export interface UnverifiedJwt {
  readonly algorithm: JwtAlgorithm;
  readonly keyId: string | undefined;
  readonly signed: Buffer;
  readonly signature: Buffer;
  readonly payload: string;
}

export type JwtClaims = Readonly<Record<string, unknown>>;

const longestToken = 16_384;
const form = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** Takes a signed token in compact form apart (RFC 7515 section 7.1). @returns what is wrong with it, in words, otherwise */
export function readJwt(token: string, algorithms: readonly JwtAlgorithm[]): UnverifiedJwt | string {
  if (token.length > longestToken) return 'longer than any token';
  const parts = form.exec(token);
  if (parts === null) return 'not a signed token';
  const [, head = '', payload = '', signature = ''] = parts;
  const header = parseObject(head);
  if (header === undefined) return 'its header is no JSON object';
  const { alg, kid, crit, b64 } = header;
  if (!isJwtAlgorithm(alg) || !algorithms.includes(alg)) return 'its algorithm is not allowed';
  // RFC 7515 section 4.1.11: extensions that must be understood, of which none is.
  if (crit !== undefined || b64 !== undefined) return 'it wants extensions';
  if (kid !== undefined && typeof kid !== 'string') return 'its key id is no text';
  return {
    algorithm: alg,
    keyId: kid,
    signed: Buffer.from(`${head}.${payload}`, 'latin1'),
    signature: Buffer.from(signature, 'base64url'),
    payload,
  };
}

/** The claims of a token that one of the keys has signed and that holds now; what is wrong with it, in words, otherwise. */
export function verifyJwt(
  token: UnverifiedJwt,
  keys: readonly KeyObject[],
  rules: JwtRules,
  nowMs: number,
): JwtClaims | string {
  const { algorithm, signed, signature, payload } = token;
  if (!keys.some((key) => signedBy(algorithm, key, signed, signature))) return 'its signature is wrong';
  const claims = parseObject(payload);
  return claims === undefined ? 'its payload is no JSON object' : (claimsMistake(claims, rules, nowMs) ?? claims);
}

function signedBy(algorithm: JwtAlgorithm, key: KeyObject, signed: Buffer, signature: Buffer): boolean {
  try {
    return verifySignature(algorithm, key, signed, signature);
  } catch {
    // A signature whose form the algorithm does not have.
    return false;
  }
}

function claimsMistake({ exp, nbf, iss, aud }: JwtClaims, rules: JwtRules, nowMs: number): string | undefined {
  const { leeway } = rules;
  if (exp === undefined ? rules.requireExpiry : !isTime(exp)) return 'it does not say when it expires';
  if (isTime(exp) && exp * 1000 + leeway <= nowMs) return 'it has expired';
  if (nbf !== undefined && !isTime(nbf)) return 'it does not say from when on it is valid';
  if (isTime(nbf) && nbf * 1000 - leeway > nowMs) return 'it is not valid yet';
  if (rules.issuer.length > 0 && !(typeof iss === 'string' && rules.issuer.includes(iss)))
    return 'its issuer is another one';
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isMeant = audience.some((one) => typeof one === 'string' && rules.audience.includes(one));
  return rules.audience.length > 0 && !isMeant ? 'it is for somebody else' : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function parseObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
