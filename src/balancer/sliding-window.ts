/** Parts that a window is made of: its edge moves by a tenth at a time. */
const parts = 10;

/** Counts what happened within the last so many milliseconds, in memory that does not grow. */
export class SlidingWindow {
  private readonly partMs: number;
  private readonly totals = new Uint32Array(parts);
  private readonly failures = new Uint32Array(parts);
  /** Number of the newest part, counted from time 0. */
  private newest = 0;

  constructor(lengthMs: number) {
    this.partMs = lengthMs / parts;
  }

  add(now: number, failed: boolean): void {
    this.advance(now);
    const index = this.newest % parts;
    this.totals[index] = (this.totals[index] as number) + 1;
    if (failed) this.failures[index] = (this.failures[index] as number) + 1;
  }

  /** What the window holds at that time. */
  count(now: number): { readonly total: number; readonly failed: number } {
    this.advance(now);
    let total = 0;
    let failed = 0;
    for (let index = 0; index < parts; index++) {
      total += this.totals[index] as number;
      failed += this.failures[index] as number;
    }
    return { total, failed };
  }

  clear(): void {
    this.totals.fill(0);
    this.failures.fill(0);
  }

  /** Empties the parts that were left behind since the last call. */
  private advance(now: number): void {
    const part = Math.floor(now / this.partMs);
    if (part <= this.newest) return;
    if (part - this.newest >= parts) this.clear();
    else {
      for (let gone = this.newest + 1; gone <= part; gone++) {
        this.totals[gone % parts] = 0;
        this.failures[gone % parts] = 0;
      }
    }
    this.newest = part;
  }
}
