import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { Authorizer } from './authorizer.ts';
import { BasicAuthenticator, type BasicUsersConfig } from './basic-authenticator.ts';
import type { ForwardConfig, SharedForward } from './forward-gate.ts';
import { KeySource, type KeySourceConfig } from './key-source.ts';
import { PasswordChecker } from './password-checker.ts';
import { VerifiedCache } from './verified-cache.ts';

/** What the gates of all routes of a worker share, and what of it outlives a reload. */
export class SharedAccess {
  readonly #logger: Logger;
  readonly #recorder: Recorder;
  readonly #checker: PasswordChecker;
  #current: PreparedAccess | undefined;

  constructor(logger: Logger, recorder: Recorder) {
    this.#logger = logger;
    this.#recorder = recorder;
    this.#checker = new PasswordChecker(logger);
  }

  /** For the gates of a configuration that may come into force. */
  prepare(): PreparedAccess {
    return new PreparedAccess(this.#recorder, this.#logger, this.#checker, this.#current);
  }

  /** What nothing in that configuration uses is forgotten. */
  adopt(prepared: PreparedAccess): void {
    this.#current = prepared;
  }

  close(): void {
    this.#checker.close();
  }
}

/** Answers remembered of one service. */
const maxPassed = 10_000;

/** What the gates of one configuration share. What is configured the same as before is the same object as before. */
export class PreparedAccess {
  readonly recorder: Recorder;
  readonly #logger: Logger;
  readonly #checker: PasswordChecker;
  readonly #basic: SharedParts<BasicAuthenticator>;
  readonly #forward: SharedParts<SharedForward>;
  readonly #keys: SharedParts<KeySource>;

  constructor(recorder: Recorder, logger: Logger, checker: PasswordChecker, former: PreparedAccess | undefined) {
    this.recorder = recorder;
    this.#logger = logger;
    this.#checker = checker;
    this.#basic = new SharedParts(former === undefined ? undefined : former.#basic);
    this.#forward = new SharedParts(former === undefined ? undefined : former.#forward);
    this.#keys = new SharedParts(former === undefined ? undefined : former.#keys);
  }

  /** @throws when a file of users cannot be read */
  basic({ users, file, remember, attempts, attemptsWindow }: BasicUsersConfig): BasicAuthenticator {
    const config = { users, file, remember, attempts, attemptsWindow };
    return this.#basic.get(config, () => new BasicAuthenticator(config, this.#checker, this.#logger));
  }

  keys(config: KeySourceConfig): KeySource {
    return this.#keys.get(config, () => new KeySource(config, this.#logger));
  }

  forward(config: ForwardConfig): SharedForward {
    return this.#forward.get(config, () => ({
      authorizer: new Authorizer(config.url, config.timeout),
      passed: new VerifiedCache(maxPassed),
    }));
  }
}

/** One part for each configuration of it; those of the configuration before are used again. */
class SharedParts<Part> {
  readonly #parts = new Map<string, Part>();
  readonly #former: ReadonlyMap<string, Part>;

  constructor(former: SharedParts<Part> | undefined) {
    this.#former = former === undefined ? new Map<string, Part>() : former.#parts;
  }

  get(config: object, make: () => Part): Part {
    const key = JSON.stringify(config);
    const part = this.#parts.get(key) ?? this.#former.get(key) ?? make();
    this.#parts.set(key, part);
    return part;
  }
}
