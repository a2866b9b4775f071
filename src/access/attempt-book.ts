import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Addresses remembered; beyond it the one whose first attempt was longest ago is forgotten. */
const maxAddresses = 16_384;

interface Attempts {
  count: number;
  /** When they are forgotten. */
  readonly until: number;
}

/** Counts attempts by address, of IPv6 by the first 64 bits: a client has as many of the others as it likes. */
export class AttemptBook {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #byAddress = new Map<string, Attempts>();

  /** @param limit attempts within so many milliseconds, from the first one on */
  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /**
   * Counts an attempt before its outcome is known, so that many at the same time are no way round.
   * @returns 0, or for how many milliseconds there is to be no other one
   */
  begin(address: string, now: number): number {
    const key = networkOf(address);
    const known = this.#byAddress.get(key);
    if (known !== undefined && known.until > now) {
      if (known.count >= this.#limit) return known.until - now;
      known.count++;
      return 0;
    }
    this.#byAddress.delete(key);
    if (this.#byAddress.size >= maxAddresses) {
      const [oldest] = this.#byAddress.keys();
      if (oldest !== undefined) this.#byAddress.delete(oldest);
    }
    this.#byAddress.set(key, { count: 1, until: now + this.#windowMs });
    return 0;
  }

  /** The attempt was none: it succeeded, or was not looked at. */
  takeBack(address: string): void {
    const known = this.#byAddress.get(networkOf(address));
    if (known !== undefined && known.count > 0) known.count--;
  }
}

function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const bytes = ipaddr.process(address).toByteArray();
  return bytes.length === 4 ? bytes.join('.') : bytes.slice(0, 8).join('.');
}
