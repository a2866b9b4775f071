import { performance } from 'node:perf_hooks';
import type { Gauge } from '../metrics/recorder.ts';

/** A response that waits until it may send more. */
export interface Paced {
  /** @returns whether it still waits */
  tick(now: number): boolean;
}

/** Milliseconds between two ticks: short enough that a slow response looks steady, long enough to cost nothing. */
const periodMs = 100;

/** One coarse clock for every response that is slowed down, in place of a timer each. It runs only while one waits. */
export class PaceClock {
  private readonly waiting = new Set<Paced>();
  private timer: NodeJS.Timeout | undefined;
  private readonly gauge: Pick<Gauge, 'set'>;

  /** @param gauge says how many responses wait */
  constructor(gauge: Pick<Gauge, 'set'>) {
    this.gauge = gauge;
  }

  /** Responses that wait. */
  get size(): number {
    return this.waiting.size;
  }

  add(paced: Paced): void {
    this.waiting.add(paced);
    this.gauge.set(this.waiting.size);
    this.timer ??= setInterval(() => this.tick(), periodMs).unref();
  }

  private tick(): void {
    const now = performance.now();
    for (const paced of this.waiting) {
      if (!paced.tick(now)) this.waiting.delete(paced);
    }
    this.gauge.set(this.waiting.size);
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
