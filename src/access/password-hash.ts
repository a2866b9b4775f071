import * as crypto from 'node:crypto';
import { Bcrypt } from './bcrypt.ts';

/** A step of cost 15 takes some three seconds; a costlier one would let nobody else in. */
const highestCost = 15;
/** Bounds for argon2: memory in KiB (256 MB), passes, lanes. */
const argon2Bounds = { memory: 262_144, passes: 16, parallelism: 16 } as const;

const bcryptForm = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
const argon2Form =
  /^\$(argon2(?:id|i|d))\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;

type Argon2 = (algorithm: string, options: Readonly<Record<string, number | Uint8Array>>) => Buffer;

/** There from Node.js 24.7 on. */
const argon2Sync = (crypto as { readonly argon2Sync?: Argon2 }).argon2Sync;

/** Whether this Node.js can check argon2 hashes. */
export const knowsArgon2 = argon2Sync !== undefined;

/** @returns why passwords cannot be checked against that, in words that do not repeat it; undefined when they can be */
export function passwordHashMistake(hash: string, argon2Known = knowsArgon2): string | undefined {
  const bcrypt = bcryptForm.exec(hash);
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1]);
    return cost >= 4 && cost <= highestCost
      ? undefined
      : `a bcrypt hash of cost ${cost}, which must be from 4 to ${highestCost}`;
  }
  const argon2 = argon2Form.exec(hash);
  if (argon2 !== null) return argon2Mistake(argon2.slice(2, 5).map(Number), argon2Known);
  if (hash.startsWith('$2')) return 'a damaged bcrypt hash';
  if (hash.startsWith('$argon2')) return 'a damaged argon2 hash, or one without v=19';
  if (hash.startsWith('$apr1$') || hash.startsWith('$1$')) return 'an MD5 hash, which is no protection any more';
  if (hash.startsWith('{SHA}') || hash.startsWith('{SSHA}')) return 'a SHA-1 hash, which is no protection any more';
  if (/^\$[56]\$/.test(hash)) return 'a SHA-2 hash of crypt, which is not supported';
  return 'neither a bcrypt nor an argon2 hash: a password in plain text, or one of the old DES hashes';
}

function argon2Mistake([memory = 0, passes = 0, parallelism = 0]: number[], known: boolean): string | undefined {
  if (!known) return `an argon2 hash, which needs Node.js 24.7 or newer (this is ${process.version})`;
  const bounds = argon2Bounds;
  const fits = passes >= 1 && passes <= bounds.passes && parallelism >= 1 && parallelism <= bounds.parallelism;
  if (fits && memory >= 8 * parallelism && memory <= bounds.memory) return undefined;
  return `an argon2 hash beyond m=${bounds.memory}, t=${bounds.passes}, p=${bounds.parallelism}`;
}

/** Roughly how long a check takes, to compare hashes by. */
export function hashEffort(hash: string): number {
  const bcrypt = bcryptForm.exec(hash);
  if (bcrypt !== null) return 2 ** Number(bcrypt[1]) / 12;
  const argon2 = argon2Form.exec(hash);
  return argon2 === null ? 0 : (Number(argon2[3]) * Number(argon2[4])) / 1000;
}

/** Checks passwords against hashes that have no mistake. Takes its time: for a thread of its own. */
export class PasswordHasher {
  #bcrypt: Bcrypt | undefined;

  /** Compares in constant time. */
  matches(password: Uint8Array, hash: string): boolean {
    const bcrypt = bcryptForm.exec(hash);
    if (bcrypt !== null) {
      const [, cost = '', salt = '', expected = ''] = bcrypt;
      this.#bcrypt ??= new Bcrypt();
      return isSame(Buffer.from(this.#bcrypt.hash(password, Number(cost), salt)), Buffer.from(expected));
    }
    const argon2 = argon2Form.exec(hash);
    if (argon2 === null || argon2Sync === undefined) throw new Error('a hash that cannot be checked');
    const [, algorithm = '', memory, passes, parallelism, salt = '', tag = ''] = argon2;
    const expected = Buffer.from(tag, 'base64');
    const numbers = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
    const nonce = Buffer.from(salt, 'base64');
    return isSame(
      argon2Sync(algorithm, { message: password, nonce, tagLength: expected.length, ...numbers }),
      expected,
    );
  }
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && crypto.timingSafeEqual(one, other);
}
