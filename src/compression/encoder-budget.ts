import type { Gauge } from '../metrics/recorder.ts';

/** How much memory all responses of a worker that are being compressed may take together. */
export class EncoderBudget {
  private most: number;
  private taken = 0;
  private readonly gauge: Pick<Gauge, 'set'>;

  constructor(most: number, gauge: Pick<Gauge, 'set'>) {
    this.most = most;
    this.gauge = gauge;
  }

  /** Bytes taken now. */
  get used(): number {
    return this.taken;
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
