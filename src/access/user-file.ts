import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Logger } from '../log/logger.ts';
import { parseHtpasswd, type UserHashes } from './htpasswd.ts';

/** How old what is known of the file may be, milliseconds. */
const freshMs = 1000;
const readTimeoutMs = 5000;
/** Some hundred thousand users. */
const maxBytes = 16 * 1024 * 1024;
const nobody: UserHashes = new Map();

/** A file of users that is read anew when it has changed. While it cannot be read there are no users. */
export class UserFile {
  users: UserHashes;
  readonly #path: string;
  readonly #logger: Logger;
  #checkedAt: number;
  /** Tells one state of the file from another; empty when it could not be read. */
  #version = '';
  #refreshing: Promise<void> | undefined;

  /** @throws what reading the file throws */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.users = parseHtpasswd(readFileSync(path, 'latin1')).users;
    // The first request compares it with the disk.
    this.#checkedAt = Number.NEGATIVE_INFINITY;
  }

  get fresh(): boolean {
    return performance.now() - this.#checkedAt < freshMs;
  }

  /** Compares what is known with the disk. Never rejects. */
  refresh(): Promise<void> {
    return (this.#refreshing ??= this.#readWithin().finally(() => {
      this.#checkedAt = performance.now();
      this.#refreshing = undefined;
    }));
  }

  async #readWithin(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('reading it took too long')), readTimeoutMs);
    });
    try {
      await Promise.race([this.#read(), timeout]);
    } catch (error) {
      if (this.users.size > 0 || this.#version !== '')
        this.#logger.error(`nobody can sign in: ${this.#path} cannot be read`, { error });
      this.users = nobody;
      this.#version = '';
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(): Promise<void> {
    const { mtimeMs, ctimeMs, size, ino } = await stat(this.#path);
    const version = `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
    if (version === this.#version) return;
    if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    const { users, mistakes } = parseHtpasswd(await readFile(this.#path, 'latin1'));
    for (const { line, reason } of mistakes.slice(0, 10)) {
      this.#logger.error(`${this.#path} line ${line}: ${reason}; this user cannot sign in`);
    }
    if (this.#version !== '') this.#logger.info(`${this.#path} has changed`, { users: users.size });
    this.users = users;
    this.#version = version;
  }
}
