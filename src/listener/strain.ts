/** Seconds' worth of strain that may come at once. */
const burstSeconds = 5;

/**
 * Counts what costs work and brings nobody anything: pings, settings, requests taken back, empty frames. A leaky bucket:
 * what browsers do of it in bad moments passes, a flood does not.
 */
export class Strain {
  readonly #perSecond: number;
  readonly #burst: number;
  #level = 0;
  #since = performance.now();

  /** @param perSecond weight that a connection may ask for that is worth nothing */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#burst = perSecond * burstSeconds;
  }

  /** @returns false when it has become too much */
  add(weight: number): boolean {
    this.#level += weight;
    if (this.#level <= this.#burst) return true;
    const now = performance.now();
    this.#level = Math.max(weight, this.#level - ((now - this.#since) / 1000) * this.#perSecond);
    this.#since = now;
    return this.#level <= this.#burst;
  }
}
