import type { Worker } from 'node:worker_threads';
import type { Logger } from '../log/logger.ts';
import type { HashAnswer, HashQuestion } from './hash-thread.ts';
import { startHashThread } from './hash-thread-start.ts';

/** Checks that may wait, besides the one under way. */
const maxWaiting = 64;
/** Longest time for one check, milliseconds; then its thread is replaced. */
const timeoutMs = 15_000;

/** Whether the password matches; undefined when it could not be checked. */
export type CheckListener = (matches: boolean | undefined) => void;

interface Check extends Omit<HashQuestion, 'id'> {
  readonly listener: CheckListener;
}

/**
 * Checks passwords one after the other in a thread of its own, so that the event loop never waits for a hash. The thread is
 * started by the first check and keeps nothing alive.
 */
export class PasswordChecker {
  readonly #logger: Logger;
  readonly #waiting: Check[] = [];
  #current: { readonly check: Check; readonly id: number; readonly timer: NodeJS.Timeout } | undefined;
  #thread: Worker | undefined;
  #count = 0;
  #closed = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * @param password taken over, and overwritten once it has been checked
   * @param hash     one without a mistake
   * @returns false when too many wait already; the listener is not called then
   */
  check(password: Uint8Array, hash: string, listener: CheckListener): boolean {
    if (this.#closed || this.#waiting.length >= maxWaiting) {
      password.fill(0);
      return false;
    }
    this.#waiting.push({ password, hash, listener });
    this.#next();
    return true;
  }

  /** What waits is told that it could not be checked. */
  close(): void {
    this.#closed = true;
    this.#fail();
    for (const { password, listener } of this.#waiting.splice(0)) {
      password.fill(0);
      listener(undefined);
    }
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const check = this.#waiting.shift();
    if (check === undefined) {
      this.#thread?.unref();
      return;
    }
    const id = ++this.#count;
    this.#current = { check, id, timer: setTimeout(() => this.#fail(), timeoutMs) };
    this.#thread ??= this.#start();
    this.#thread.ref();
    const { password, hash } = check;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#thread.postMessage({ id, password, hash } satisfies HashQuestion);
    // The thread has a copy of its own.
    password.fill(0);
  }

  #start(): Worker {
    const thread = startHashThread();
    thread.on('message', ({ id, matches }: HashAnswer) => {
      if (thread === this.#thread && id === this.#current?.id) this.#finish(matches);
    });
    const failed = (error: unknown): void => {
      if (thread !== this.#thread) return;
      this.#logger.error('the thread that checks passwords has ended', { error });
      this.#fail();
    };
    thread.on('error', failed);
    thread.on('exit', failed);
    return thread;
  }

  /** Gives up what is under way together with its thread. */
  #fail(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    void thread?.terminate();
    if (this.#current !== undefined) this.#finish(undefined);
  }

  #finish(matches: boolean | undefined): void {
    const current = this.#current;
    if (current === undefined) return;
    clearTimeout(current.timer);
    this.#current = undefined;
    this.#next();
    current.check.listener(matches);
  }
}
