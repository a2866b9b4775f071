/** Something that a key may have only so many of at a time, here and, as last heard, in the other workers. */
export class Hold {
  readonly id: number;
  own = 0;
  others = 0;
  /** What the others were told last. */
  told = 0;
  #marked = false;
  readonly #table: HoldTable;

  constructor(id: number, table: HoldTable) {
    this.id = id;
    this.#table = table;
  }

  get total(): number {
    return this.own + this.others;
  }

  take(): void {
    this.own += 1;
    this.#mark();
  }

  release(): void {
    if (this.own > 0) this.own -= 1;
    this.#mark();
  }

  collected(): void {
    this.#marked = false;
  }

  #mark(): void {
    if (this.#marked) return;
    this.#marked = true;
    this.#table.changed.push(this);
  }
}

/**
 * What keys hold at a time: connections, requests. There are never more keys than things held, here and elsewhere, so that
 * nobody can fill it without holding them.
 */
export class HoldTable {
  /** Keys that hold more or less than was told. */
  readonly changed: Hold[] = [];
  /** What a key holds here is told from so many on, which keeps the few of most keys out of the messages. */
  tellFrom = 1;
  readonly #holds = new Map<number, Hold>();

  get size(): number {
    return this.#holds.size;
  }

  /** @param high and @param low name the key, as `KeyedHash` leaves them */
  find(high: number, low: number): Hold {
    return this.#find((high >>> 0) * 2 ** 21 + (low >>> 11));
  }

  /** What changed since the last call: `[id, own, id, own, …]`. */
  collect(): Float64Array {
    const told: number[] = [];
    for (const hold of this.changed.splice(0)) {
      hold.collected();
      const own = hold.own >= this.tellFrom ? hold.own : 0;
      if (own !== hold.told) told.push(hold.id, own);
      hold.told = own;
      this.#forgetUnused(hold);
    }
    return Float64Array.from(told);
  }

  /** Takes what the others hold: `[id, others, …]`. */
  learn(entries: Float64Array): void {
    for (let at = 0; at + 1 < entries.length; at += 2) {
      const hold = this.#find(entries[at] as number);
      hold.others = entries[at + 1] as number;
      this.#forgetUnused(hold);
    }
  }

  #find(id: number): Hold {
    let hold = this.#holds.get(id);
    if (hold === undefined) this.#holds.set(id, (hold = new Hold(id, this)));
    return hold;
  }

  #forgetUnused(hold: Hold): void {
    if (hold.own === 0 && hold.others === 0 && hold.told === 0) this.#holds.delete(hold.id);
  }
}
