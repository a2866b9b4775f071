import { performance } from 'node:perf_hooks';

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

  /** Responses that wait. */
  get size(): number {
    return this.waiting.size;
  }

  add(paced: Paced): void {
    this.waiting.add(paced);
    this.timer ??= setInterval(() => this.tick(), periodMs).unref();
  }

  delete(paced: Paced): void {
    this.waiting.delete(paced);
  }

  private tick(): void {
    const now = performance.now();
    for (const paced of this.waiting) {
      if (!paced.tick(now)) this.waiting.delete(paced);
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
