/** Somebody who waits for a client. */
export interface Stallable {
  /** Called every few seconds while watched: gives up when `now` (`performance.now()`) is too late, or says that it waits on. */
  checkStall(now: number): void;
}

// uWebSockets.js cuts after 8 to 12 seconds of silence unless told every 4 seconds that it should wait on.
const longestPeriodMs = 4000;

/**
 * One coarse clock for everybody who waits for slow clients, in place of a timer a request. It runs only while somebody waits.
 */
export class StallWatch {
  readonly #waiting = new Set<Stallable>();
  #timer: NodeJS.Timeout | undefined;
  #periodMs: number;

  /** @param shortestTimeoutMs the shortest time after which somebody gives up */
  constructor(shortestTimeoutMs: number) {
    this.#periodMs = periodFor(shortestTimeoutMs);
  }

  /** Takes a new shortest timeout, at reload. */
  configure(shortestTimeoutMs: number): void {
    this.#periodMs = periodFor(shortestTimeoutMs);
    if (this.#timer === undefined) return;
    this.stop();
    this.#start();
  }

  add(stallable: Stallable): void {
    this.#waiting.add(stallable);
    if (this.#timer === undefined) this.#start();
  }

  delete(stallable: Stallable): void {
    this.#waiting.delete(stallable);
  }

  /** Stops the clock; somebody who is added starts it again. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#periodMs).unref();
  }

  #tick(): void {
    if (this.#waiting.size === 0) {
      this.stop();
      return;
    }
    const now = performance.now();
    for (const stallable of this.#waiting) stallable.checkStall(now);
  }
}

function periodFor(shortestTimeoutMs: number): number {
  return Math.max(20, Math.min(longestPeriodMs, shortestTimeoutMs / 4));
}
