import { performance } from 'node:perf_hooks';

/** Somebody who wants to know how time passes. */
export interface Idler {
  /** @param now `performance.now()` */
  checkIdle(now: number): void;
}

const longestPeriodMs = 5000;

/** One coarse clock for the WebSockets of a route, in place of a timer each. It runs only while one is open. */
export class IdleClock {
  private readonly periodMs: number;
  private readonly idlers = new Set<Idler>();
  private timer: NodeJS.Timeout | undefined;

  constructor(idleTimeoutMs: number) {
    this.periodMs = Math.min(longestPeriodMs, idleTimeoutMs / 8);
  }

  add(idler: Idler): void {
    this.idlers.add(idler);
    this.timer ??= setInterval(() => this.tick(), this.periodMs).unref();
  }

  delete(idler: Idler): void {
    this.idlers.delete(idler);
    if (this.idlers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    const now = performance.now();
    for (const idler of this.idlers) idler.checkIdle(now);
  }
}
