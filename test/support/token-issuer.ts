import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

type Signer = (signed: Buffer) => Buffer;

/** Issues tokens and publishes its keys, as a login service does. */
export class TokenIssuer {
  readonly #keys = new Map<string, KeyObject>();

  /** Makes a key; tokens name it by that id. */
  addKey(id: string, type: 'rsa' | 'rsa-1024' | 'P-256' | 'P-384' | 'ed25519'): this {
    this.#keys.set(id, makeKey(type));
    return this;
  }

  removeKey(id: string): void {
    this.#keys.delete(id);
  }

  /** The set of keys as it is published. */
  get keySet(): string {
    const keys = [...this.#keys].map(([kid, key]) => ({ ...publicJwk(key), kid, use: 'sig' }));
    return JSON.stringify({ keys });
  }

  /** The public key in PEM, as somebody may misuse it for a secret. */
  pem(id: string): string {
    return String(this.#key(id).export({ type: 'pkcs8', format: 'pem' }));
  }

  /** A token signed with one of the keys. @param header in addition to `alg` and `kid`, or in their place */
  token(id: string, algorithm: string, claims: object, header: object = {}): string {
    const key = this.#key(id);
    return compact({ alg: algorithm, kid: id, ...header }, claims, (signed) => signWith(algorithm, key, signed));
  }

  #key(id: string): KeyObject {
    const key = this.#keys.get(id);
    if (key === undefined) throw new Error(`no key ${id}`);
    return key;
  }
}

/** A token signed with a secret. */
export function secretToken(secret: string | Buffer, claims: object, header: object = {}): string {
  return compact({ alg: 'HS256', ...header }, claims, (signed) => createHmac('sha256', secret).update(signed).digest());
}

/** A token with that header and whatever the signer makes of it. */
export function compact(header: object, claims: object, signer: Signer): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${signer(Buffer.from(signed)).toString('base64url')}`;
}

function makeKey(type: 'rsa' | 'rsa-1024' | 'P-256' | 'P-384' | 'ed25519'): KeyObject {
  switch (type) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'rsa-1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    default:
      return generateKeyPairSync('ec', { namedCurve: type }).privateKey;
  }
}

function publicJwk(key: KeyObject): object {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  return { kty, crv, x, y, n, e };
}

function signWith(algorithm: string, key: KeyObject, signed: Buffer): Buffer {
  const digest = `sha${algorithm.slice(2)}`;
  if (algorithm === 'EdDSA') return sign(null, signed, key);
  if (algorithm.startsWith('ES')) return sign(digest, signed, { key, dsaEncoding: 'ieee-p1363' });
  if (!algorithm.startsWith('PS')) return sign(digest, signed, key);
  return sign(digest, signed, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
}
