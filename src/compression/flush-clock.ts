import { performance } from 'node:perf_hooks';

/** A response that may hold back what was written to it. */
export interface Flushable {
  /** @param now `performance.now()` */
  flushIfDue(now: number): void;
}

/** Milliseconds between two ticks: how much later than asked for a response is flushed, at most. */
const periodMs = 25;

/** One coarse clock for every response that is being compressed, in place of a timer each. It runs only while there are some. */
export class FlushClock {
  private readonly members = new Set<Flushable>();
  private timer: NodeJS.Timeout | undefined;

  /** Responses that are watched. */
  get size(): number {
    return this.members.size;
  }

  add(member: Flushable): void {
    this.members.add(member);
    this.timer ??= setInterval(() => this.tick(), periodMs).unref();
  }

  delete(member: Flushable): void {
    this.members.delete(member);
  }

  private tick(): void {
    if (this.members.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    const now = performance.now();
    for (const member of this.members) member.flushIfDue(now);
  }
}
