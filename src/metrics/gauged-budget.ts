import type { Gauge } from './recorder.ts';

/** A bound on bytes of one kind in a worker, such as those in its spool files, with a gauge that shows what is taken. */
export class GaugedBudget {
  private readonly gauge: Pick<Gauge, 'set'>;
  private most: number;
  private taken = 0;

  constructor(most: number, gauge: Pick<Gauge, 'set'>) {
    this.most = most;
    this.gauge = gauge;
  }

  /** Bytes taken now. */
  get used(): number {
    return this.taken;
  }

  get limit(): number {
    return this.most;
  }

  /** Takes a new bound, at reload; what is taken beyond it comes back in its own time. */
  configure(most: number): void {
    this.most = most;
  }

  /** @returns false, with nothing taken, when the bound would be passed */
  take(bytes: number): boolean {
    if (this.taken + bytes > this.most) return false;
    this.taken += bytes;
    this.gauge.set(this.taken);
    return true;
  }

  give(bytes: number): void {
    this.taken -= bytes;
    this.gauge.set(this.taken);
  }
}
