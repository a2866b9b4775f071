import { SlidingWindow } from './sliding-window.ts';

/** When a circuit opens and closes. Times in milliseconds. */
export interface CircuitBreakerConfig {
  /** Percent of the requests in the window that must have failed. */
  readonly errorRate: number;
  readonly window: number;
  /** With fewer requests in the window the circuit stays closed. */
  readonly minRequests: number;
  /** How long it is open before probes are let through. */
  readonly openFor: number;
  /** Requests that must succeed for it to close; no more than that are let through at a time. */
  readonly probes: number;
}

export type CircuitState = 'closed' | 'half-open' | 'open';

/** `refuse`: the circuit is open; `probe`: the request tries whether it can be closed. */
export type CircuitDecision = 'pass' | 'probe' | 'refuse';

/**
 * Fails requests fast while too many fail anyway. Closed: counts. Open: lets nothing through for a while. Half-open: lets a few
 * requests through as probes; when all of them succeed it closes, when one fails it opens again. Keeps no clock.
 */
export class CircuitBreaker {
  private config: CircuitBreakerConfig;
  private readonly onChange: (state: CircuitState) => void;
  private window: SlidingWindow;
  private current: CircuitState = 'closed';
  private openUntil = 0;
  private probing = 0;
  private succeeded = 0;

  constructor(config: CircuitBreakerConfig, onChange: (state: CircuitState) => void) {
    this.config = config;
    this.onChange = onChange;
    this.window = new SlidingWindow(config.window);
  }

  get state(): CircuitState {
    return this.current;
  }

  /** Takes other bounds, after a reload. What was counted in a window of another length is forgotten. */
  configure(config: CircuitBreakerConfig): void {
    if (config.window !== this.config.window) this.window = new SlidingWindow(config.window);
    this.config = config;
  }

  /** Decides about a request. A `probe` is to be reported by `record` or `abandon` with `probe`. */
  admit(now: number): CircuitDecision {
    if (this.current === 'closed') return 'pass';
    if (this.current === 'open') {
      if (now < this.openUntil) return 'refuse';
      this.probing = this.succeeded = 0;
      this.become('half-open');
    }
    if (this.probing + this.succeeded >= this.config.probes) return 'refuse';
    this.probing++;
    return 'probe';
  }

  /** Milliseconds after which a refused request may be let through. */
  retryAfter(now: number): number {
    return Math.max(0, this.openUntil - now);
  }

  /** A request has ended. @param probe whether `admit` called it one */
  record(failed: boolean, probe: boolean, now: number): void {
    if (this.current === 'closed') return this.count(failed, now);
    // What was sent before it opened says nothing new.
    if (!probe || this.current !== 'half-open') return;
    this.probing--;
    if (failed) return this.open(now);
    this.succeeded++;
    if (this.succeeded < this.config.probes) return;
    this.window.clear();
    this.become('closed');
  }

  /** A probe has ended without saying anything. */
  abandon(): void {
    if (this.current === 'half-open') this.probing--;
  }

  private count(failed: boolean, now: number): void {
    this.window.add(now, failed);
    if (!failed) return;
    const { minRequests, errorRate } = this.config;
    const { total, failed: failures } = this.window.count(now);
    if (total >= minRequests && failures * 100 >= errorRate * total) this.open(now);
  }

  private open(now: number): void {
    this.openUntil = now + this.config.openFor;
    this.become('open');
  }

  private become(state: CircuitState): void {
    this.current = state;
    this.onChange(state);
  }
}
