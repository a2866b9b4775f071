import { SlidingWindow } from './sliding-window.ts';

/** Over which time requests and retries are compared, milliseconds. */
const windowMs = 10_000;
/** Retries that are allowed within the window however few requests there are. */
const floor = 100;

/**
 * Bounds the load that retries add: so many for each hundred requests of the last ten seconds, and a few more, so that a
 * failing application does not get every request several times. Kept by each worker for itself.
 */
export class RetryBudget {
  /** Everything sent; what counts as failed in it are retries. */
  private readonly window = new SlidingWindow(windowMs);
  private percent: number;

  constructor(percent: number) {
    this.percent = percent;
  }

  /** Takes another share of retries, after a reload. */
  configure(percent: number): void {
    this.percent = percent;
  }

  /** A request goes upstream for the first time. */
  request(now: number): void {
    this.window.add(now, false);
  }

  /** @returns whether one may be sent again; it counts then */
  take(now: number): boolean {
    const { total, failed: retries } = this.window.count(now);
    if (retries >= floor && retries + 1 > ((total - retries) * this.percent) / 100) return false;
    this.window.add(now, true);
    return true;
  }
}
