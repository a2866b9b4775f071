/** Whether a server passes its checks. */
export type Health = 'up' | 'down';

/** How many checks in a row it takes. */
export interface HealthThresholds {
  /** Passed ones that bring a server back. HAProxy: `rise`. */
  readonly rise: number;
  /** Failed ones that take a server out. HAProxy: `fall`. */
  readonly fall: number;
}

/**
 * The state that follows from a row of checks. The first check decides alone, so that a program that has just started
 * learns the truth at once; from then on a state changes only after `fall` failures or `rise` passes in a row.
 */
export class RiseFall {
  /** What counts now; `startAs` until the first check is over. */
  health: Health;
  /** Whether a check is over. */
  known = false;
  private thresholds: HealthThresholds;
  /** Checks in a row that speak against the state. */
  private against = 0;

  constructor(thresholds: HealthThresholds, startAs: Health) {
    this.thresholds = thresholds;
    this.health = startAs;
  }

  /** Takes other thresholds, after a reload; the state and the row so far stay. */
  configure(thresholds: HealthThresholds): void {
    this.thresholds = thresholds;
  }

  /** @returns the new state when this check changed it */
  record(passed: boolean): Health | undefined {
    const seen: Health = passed ? 'up' : 'down';
    const first = !this.known;
    this.known = true;
    if (seen === this.health) {
      this.against = 0;
      return undefined;
    }
    this.against++;
    if (!first && this.against < (passed ? this.thresholds.rise : this.thresholds.fall)) return undefined;
    this.against = 0;
    this.health = seen;
    return seen;
  }
}
