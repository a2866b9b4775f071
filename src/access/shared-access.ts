import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { BasicAuthenticator, type BasicUsersConfig } from './basic-authenticator.ts';
import { PasswordChecker } from './password-checker.ts';

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

/** What the gates of one configuration share. What is configured the same as before is the same object as before. */
export class PreparedAccess {
  readonly recorder: Recorder;
  readonly #logger: Logger;
  readonly #checker: PasswordChecker;
  readonly #former: ReadonlyMap<string, BasicAuthenticator>;
  readonly #basic = new Map<string, BasicAuthenticator>();

  constructor(recorder: Recorder, logger: Logger, checker: PasswordChecker, former: PreparedAccess | undefined) {
    this.recorder = recorder;
    this.#logger = logger;
    this.#checker = checker;
    this.#former = former === undefined ? new Map() : former.#basic;
  }

  /** @throws when a file of users cannot be read */
  basic({ users, file, remember, attempts, attemptsWindow }: BasicUsersConfig): BasicAuthenticator {
    const config = { users, file, remember, attempts, attemptsWindow };
    const key = JSON.stringify(config);
    const made =
      this.#basic.get(key) ?? this.#former.get(key) ?? new BasicAuthenticator(config, this.#checker, this.#logger);
    this.#basic.set(key, made);
    return made;
  }
}
