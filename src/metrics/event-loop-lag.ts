const intervalMs = 20;

/**
 * How late the event loop ran a timer that was due. Not `monitorEventLoopDelay`: its `reset` also swallows the delay that
 * is going on, which is the very one that a report after a stall should show.
 */
export class EventLoopLag {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #lastTick: number;
  #maxMs = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lastTick = now();
    this.#timer = setInterval(() => this.#tick(), intervalMs).unref();
  }

  /** The longest delay in seconds since the last call, one that is not over yet included. */
  take(): number {
    this.#tick();
    const maxMs = this.#maxMs;
    this.#maxMs = 0;
    return maxMs / 1000;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = this.#now();
    this.#maxMs = Math.max(this.#maxMs, now - this.#lastTick - intervalMs);
    this.#lastTick = now;
  }
}
