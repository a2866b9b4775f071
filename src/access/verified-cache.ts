import { createHmac, randomBytes } from 'node:crypto';

/**
 * Remembers for a while what was verified, by a keyed hash of it: neither the memory of the process nor the time of a
 * look-up tells anything of the secrets. What was used longest ago goes first.
 */
export class VerifiedCache<Value> {
  readonly #key = randomBytes(32);
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>();
  readonly #size: number;

  /** @param size entries held at most */
  constructor(size: number) {
    this.#size = size;
  }

  /** The name under which something is kept; no two different lists of parts have the same. */
  nameOf(...parts: readonly string[]): string {
    const hmac = createHmac('sha256', this.#key);
    for (const part of parts) hmac.update(`${part.length}:`).update(part, 'latin1');
    return hmac.digest('base64');
  }

  get(name: string, now: number): Value | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    if (entry.until <= now) return undefined;
    this.#entries.set(name, entry);
    return entry.value;
  }

  set(name: string, value: Value, until: number): void {
    this.#entries.delete(name);
    if (this.#entries.size >= this.#size) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(name, { value, until });
  }

  get size(): number {
    return this.#entries.size;
  }
}
