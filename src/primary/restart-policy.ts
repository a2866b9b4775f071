/** What to do about a worker that died: start another after so many milliseconds, or stop the whole. */
export type RestartDecision = { readonly restartInMs: number } | 'give-up';

/** Deaths within the window that are one too many. */
export const fatalDeaths = 5;
/** Length of the window, milliseconds. */
export const deathWindowMs = 30_000;
/** Wait before the second replacement within the window; it doubles from there. */
const firstBackoffMs = 100;

/**
 * Decides when a dead worker is replaced. The first one at once; further ones after waits that double, because a worker
 * that dies at its start would else burn a core; at the fifth death in thirty seconds not at all, because then
 * replacing mends nothing and the service manager should see it.
 */
export class RestartPolicy {
  private readonly now: () => number;
  private deaths: number[] = [];

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Records a death, of whichever worker, and decides about it. */
  died(): RestartDecision {
    const now = this.now();
    this.deaths = this.deaths.filter((time) => now - time < deathWindowMs);
    this.deaths.push(now);
    if (this.deaths.length >= fatalDeaths) return 'give-up';
    const earlier = this.deaths.length - 1;
    return { restartInMs: earlier === 0 ? 0 : firstBackoffMs * 2 ** (earlier - 1) };
  }
}
