/** Places that a key may have. */
const ways = 8;

/** What was counted of keys since the last time: `[high, low, requests, high, low, requests, …]`. */
export type KeyCounts = Float64Array;
/** How many requests keys are ahead of their rate, with fractions: `[high, low, requests, …]`. */
export type KeyDebts = Float64Array;

/**
 * When each key will be even again, in memory that never grows: GCRA (ITU-T I.371) keeps one time for each key, its
 * "theoretical arrival time". A key whose time has come is as good as unknown, and its place free. Where all eight places
 * of a key are taken by keys in debt, it takes over the place of the one with the least, *with* that debt (as the
 * Space-Saving algorithm does with counts): so no flood of keys makes a debt disappear, whoever sends it.
 *
 * Times are of one clock that never goes back, in milliseconds. 20 bytes a key.
 */
export class RateTable {
  /** Keys that had to take over the debt of another one. */
  displaced = 0;
  readonly #high: Int32Array;
  readonly #low: Int32Array;
  readonly #due: Float64Array;
  /** Requests counted since `collect`. */
  readonly #pending: Uint32Array;
  readonly #mask: number;
  /** Slots with something pending, in the order of their coming. */
  readonly #dirty: Uint32Array;
  #dirtyFrom = 0;
  #dirtyCount = 0;

  /** @param keys how many at least; the next power of two counts */
  constructor(keys: number) {
    const slots = 2 ** Math.max(3, Math.ceil(Math.log2(keys)));
    this.#high = new Int32Array(slots);
    this.#low = new Int32Array(slots);
    this.#due = new Float64Array(slots);
    this.#pending = new Uint32Array(slots);
    this.#dirty = new Uint32Array(slots);
    this.#mask = slots / ways - 1;
  }

  get capacity(): number {
    return this.#due.length;
  }

  get hasPending(): boolean {
    return this.#dirtyCount > 0;
  }

  /** The slot of a key, claimed where it has none. Valid until another key is looked for. */
  find(high: number, low: number, now: number): number {
    const first = (low & this.#mask) * ways;
    let least = first;
    for (let slot = first; slot < first + ways; slot++) {
      if (this.#low[slot] === low && this.#high[slot] === high) return slot;
      if ((this.#due[slot] as number) < (this.#due[least] as number)) least = slot;
    }
    if ((this.#due[least] as number) > now) this.displaced += 1;
    this.#high[least] = high;
    this.#low[least] = low;
    return least;
  }

  /** Milliseconds until nothing is left of what the key took; 0 at least. */
  debt(slot: number, now: number): number {
    const debt = (this.#due[slot] as number) - now;
    return debt > 0 ? debt : 0;
  }

  /** Counts a request. @returns how many of the key are pending */
  take(slot: number, now: number, interval: number): number {
    const due = this.#due[slot] as number;
    this.#due[slot] = (due > now ? due : now) + interval;
    const pending = (this.#pending[slot] as number) + 1;
    this.#pending[slot] = pending;
    if (pending === 1) this.#markDirty(slot);
    return pending;
  }

  /** Adds what others took. */
  add(high: number, low: number, now: number, milliseconds: number): number {
    const slot = this.find(high, low, now);
    const due = this.#due[slot] as number;
    this.#due[slot] = (due > now ? due : now) + milliseconds;
    return this.debt(slot, now);
  }

  /**
   * Takes over what is known elsewhere; what was counted here and is not known there comes on top.
   * @param requests how many the key is ahead of its rate
   */
  learn(high: number, low: number, now: number, requests: number, interval: number): void {
    const slot = this.find(high, low, now);
    const due = now + (requests + (this.#pending[slot] as number)) * interval;
    if (due > (this.#due[slot] as number)) this.#due[slot] = due;
  }

  /** Takes out what is pending, of at most so many keys. Those that have waited longest come first. */
  collect(mostKeys: number): KeyCounts {
    const count = Math.min(mostKeys, this.#dirtyCount);
    const counts = new Float64Array(count * 3);
    for (let index = 0; index < count; index++) {
      const slot = this.#dirty[this.#dirtyFrom] as number;
      this.#dirtyFrom = (this.#dirtyFrom + 1) % this.capacity;
      counts[index * 3] = this.#high[slot] as number;
      counts[index * 3 + 1] = this.#low[slot] as number;
      counts[index * 3 + 2] = this.#pending[slot] as number;
      this.#pending[slot] = 0;
    }
    this.#dirtyCount -= count;
    return counts;
  }

  /** Every debt of at least so many requests, of at most so many keys. */
  debts(now: number, interval: number, least: number, mostKeys: number): KeyDebts {
    const debts: number[] = [];
    for (let slot = 0; slot < this.capacity && debts.length < mostKeys * 3; slot++) {
      const debt = this.debt(slot, now) / interval;
      if (debt > 0 && debt >= least) debts.push(this.#high[slot] as number, this.#low[slot] as number, debt);
    }
    return Float64Array.from(debts);
  }

  /** Another rate: what keys took stays as many requests as it was. */
  rescale(factor: number, now: number): void {
    for (let slot = 0; slot < this.capacity; slot++) {
      const debt = this.debt(slot, now);
      if (debt > 0) this.#due[slot] = now + debt * factor;
    }
  }

  #markDirty(slot: number): void {
    // A slot is marked once until it is collected, so that there is room for all.
    this.#dirty[(this.#dirtyFrom + this.#dirtyCount) % this.capacity] = slot;
    this.#dirtyCount += 1;
  }
}
