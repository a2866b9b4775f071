import type { LogFields, Logger } from './logger.ts';

/** Something that goes wrong again and again: written at most once an interval, with how often it happened since. */
export class RepeatedLog {
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #keys = new Map<string, { writtenAt: number; suppressed: number }>();

  constructor(logger: Logger, intervalMs = 1000, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#intervalMs = intervalMs;
    this.#now = now;
  }

  /** @param key what counts as the same, from a bounded set: an error code, a server's name */
  warn(key: string, message: string, fields: LogFields = {}): void {
    const allowed = this.#allow(key);
    if (allowed !== undefined) this.#logger.warn(message, { ...fields, ...allowed });
  }

  error(key: string, message: string, fields: LogFields = {}): void {
    const allowed = this.#allow(key);
    if (allowed !== undefined) this.#logger.error(message, { ...fields, ...allowed });
  }

  #allow(key: string): LogFields | undefined {
    const now = this.#now();
    const state = this.#keys.get(key);
    if (state !== undefined && now - state.writtenAt < this.#intervalMs) {
      state.suppressed += 1;
      return undefined;
    }
    // Keys made from what strangers send would fill the map.
    if (state === undefined && this.#keys.size >= 1000) this.#keys.clear();
    this.#keys.set(key, { writtenAt: now, suppressed: 0 });
    return state === undefined || state.suppressed === 0 ? {} : { suppressed: state.suppressed };
  }
}
