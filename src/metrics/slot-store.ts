/**
 * The numbers of one recorder in typed arrays: a child keeps the index of its slot and this object, never an array,
 * because the arrays are replaced when they grow.
 */
export class SlotStore {
  values: Float64Array = new Float64Array(256);
  /** What the primary knows of a gauge; NaN for none. */
  reported: Float64Array = new Float64Array(256).fill(Number.NaN);
  /** 1 where the slot is a gauge. */
  gauges: Uint8Array = new Uint8Array(256);
  length = 0;

  /** Takes `count` slots in a row. @returns the first */
  take(count: number, gauge: boolean): number {
    const first = this.length;
    this.length += count;
    while (this.length > this.values.length) this.#grow();
    if (gauge) this.gauges.fill(1, first, this.length);
    return first;
  }

  #grow(): void {
    const size = this.values.length * 2;
    const values = new Float64Array(size);
    values.set(this.values);
    const reported = new Float64Array(size).fill(Number.NaN);
    reported.set(this.reported);
    const gauges = new Uint8Array(size);
    gauges.set(this.gauges);
    this.values = values;
    this.reported = reported;
    this.gauges = gauges;
  }

  /** `[slot, amount, …]` of what changed since the last call; counting starts again from 0. */
  drain(): number[] {
    const { values, reported, gauges, length } = this;
    const changed: number[] = [];
    for (let slot = 0; slot < length; slot += 1) {
      const value = values[slot] as number;
      if (gauges[slot] === 1) {
        if (Object.is(value, reported[slot])) continue;
        reported[slot] = value;
        changed.push(slot, value);
      } else if (value !== 0) {
        values[slot] = 0;
        // A slip such as NaN in one addition must not poison the sum for ever.
        if (Number.isFinite(value)) changed.push(slot, value);
      }
    }
    return changed;
  }
}
