import { performance } from 'node:perf_hooks';
import type { Logger } from '../log/logger.ts';
import { AttemptBook } from './attempt-book.ts';
import type { BasicCredentials } from './basic-credentials.ts';
import type { UserHashes } from './htpasswd.ts';
import type { PasswordChecker } from './password-checker.ts';
import { hashEffort } from './password-hash.ts';
import { UserFile } from './user-file.ts';
import { VerifiedCache } from './verified-cache.ts';

/** Who may sign in by Basic authentication. Times in milliseconds. */
export interface BasicUsersConfig {
  /** Hashes by user. */
  readonly users: Readonly<Record<string, string>>;
  /** A file of further ones. */
  readonly file?: string | undefined;
  /** How long a password that was right is not checked again. */
  readonly remember: number;
  /** Wrong passwords from one address within `attemptsWindow`. */
  readonly attempts: number;
  readonly attemptsWindow: number;
}

/** What came of it: whether the password is right; `busy` when it could not be checked; or how long to wait before the next one. */
export type SignIn = 'right' | 'wrong' | 'busy' | { readonly retryAfterMs: number };

const maxRemembered = 10_000;
/** Of no password: what unknown users are checked against where no user is known at all. */
const hashOfNothing = `$2b$10$${'.'.repeat(22)}${'.'.repeat(31)}`;

/** Checks users and passwords; what it remembers is shared by all routes that have the same users. */
export class BasicAuthenticator {
  readonly #config: BasicUsersConfig;
  readonly #checker: PasswordChecker;
  readonly #users: UserHashes;
  readonly #file: UserFile | undefined;
  readonly #verified = new VerifiedCache<true>(maxRemembered);
  readonly #attempts: AttemptBook;
  /** Checks under way, by what they are remembered by: a page asks for all its parts at once. */
  readonly #underWay = new Map<string, ((outcome: SignIn) => void)[]>();
  #decoy: { readonly users: UserHashes; readonly hash: string } | undefined;

  /** @throws what reading the file throws */
  constructor(config: BasicUsersConfig, checker: PasswordChecker, logger: Logger) {
    this.#config = config;
    this.#checker = checker;
    this.#users = new Map(Object.entries(config.users));
    this.#file = config.file === undefined ? undefined : new UserFile(config.file, logger);
    this.#attempts = new AttemptBook(config.attempts, config.attemptsWindow);
  }

  /**
   * @param credentials the password in them is overwritten
   * @param done called once, at once or later
   */
  signIn(credentials: BasicCredentials, address: string, done: (outcome: SignIn) => void): void {
    if (this.#file === undefined || this.#file.fresh) return this.#check(credentials, address, done);
    void this.#file.refresh().then(() => this.#check(credentials, address, done));
  }

  #check({ user, password }: BasicCredentials, address: string, done: (outcome: SignIn) => void): void {
    const known = this.#users.get(user) ?? this.#file?.users.get(user);
    const hash = known ?? this.#decoyHash();
    // With the hash in its name nothing is remembered of a password that has been changed.
    // An unknown user has the hash of a known one, and must never be taken for one.
    const kind = known === undefined ? 'unknown' : 'known';
    const name = this.#verified.nameOf(kind, user, hash, password.toString('latin1'));
    const now = performance.now();
    if (this.#verified.get(name, now) === true) {
      password.fill(0);
      return done('right');
    }
    const joined = this.#underWay.get(name);
    if (joined !== undefined) {
      password.fill(0);
      joined.push(done);
      return;
    }
    const retryAfterMs = this.#attempts.begin(address, now);
    if (retryAfterMs > 0) {
      password.fill(0);
      return done({ retryAfterMs });
    }
    const listeners = [done];
    this.#underWay.set(name, listeners);
    const settle = (matches: boolean | undefined): void => {
      this.#underWay.delete(name);
      const outcome = matches === undefined ? 'busy' : matches && known !== undefined ? 'right' : 'wrong';
      if (outcome !== 'wrong') this.#attempts.takeBack(address);
      if (outcome === 'right') this.#verified.set(name, true, performance.now() + this.#config.remember);
      for (const listener of listeners) listener(outcome);
    };
    if (!this.#checker.check(password, hash, settle)) settle(undefined);
  }

  /** The costliest hash there is: unknown users are to take as long as known ones. */
  #decoyHash(): string {
    const users = this.#file?.users ?? this.#users;
    if (this.#decoy?.users === users) return this.#decoy.hash;
    let hash = hashOfNothing;
    let effort = -1;
    for (const one of [...this.#users.values(), ...users.values()]) {
      const its = hashEffort(one);
      if (its > effort) {
        effort = its;
        hash = one;
      }
    }
    this.#decoy = { users, hash };
    return hash;
  }
}
