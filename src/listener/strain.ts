/** What a connection may ask for in a row that is worth nothing, and how much of it a second. */
const burst = 1000;
const perSecond = 200;

/**
 * Counts what costs work and brings nobody anything: pings, settings, requests taken back, empty frames. A leaky bucket:
 * what browsers do of it in bad moments passes, a flood does not.
 */
export class Strain {
  #level = 0;
  #since = performance.now();

  /** @returns false when it has become too much */
  add(weight: number): boolean {
    this.#level += weight;
    if (this.#level <= burst) return true;
    const now = performance.now();
    this.#level = Math.max(weight, this.#level - ((now - this.#since) / 1000) * perSecond);
    this.#since = now;
    return this.#level <= burst;
  }
}
