import type { UpstreamConfig } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import type { Outcome } from './admission.ts';
import type { AdmissionMetrics } from './admission-metrics.ts';
import { CircuitBreaker, type CircuitState } from './circuit-breaker.ts';

/** What the circuit breaker keeps with a request. */
export interface CircuitUser {
  /** Whether it was let through a half-open circuit to see how it goes. */
  circuitProbe?: boolean;
}

/** No connection: nothing of the request was sent, and what waits for servers to be back deals with it. */
const unsent: ReadonlySet<string> = new Set([
  'upstream_unreachable',
  'upstream_certificate',
  'upstream_connect_timeout',
]);

/** The circuit breaker of an upstream, if it has one: what counts as a failure, and who hears of its state. */
export class CircuitGate {
  private readonly upstream: string;
  private readonly metrics: AdmissionMetrics;
  private readonly logger: Logger;
  private breaker: CircuitBreaker | undefined;

  constructor(upstream: string, metrics: AdmissionMetrics, logger: Logger) {
    this.upstream = upstream;
    this.metrics = metrics;
    this.logger = logger;
  }

  get state(): CircuitState | undefined {
    return this.breaker?.state;
  }

  configure(config: UpstreamConfig['circuitBreaker']): void {
    if (config === undefined) {
      if (this.breaker !== undefined) this.metrics.circuit(undefined);
      this.breaker = undefined;
    } else if (this.breaker === undefined) {
      this.breaker = new CircuitBreaker(config, (state) => this.changed(state));
      this.metrics.circuit('closed');
    } else {
      this.breaker.configure(config);
    }
  }

  /** @returns undefined when the request may pass; else the milliseconds after which it may come again */
  pass(user: CircuitUser, now: number): number | undefined {
    const { breaker } = this;
    if (breaker === undefined || user.circuitProbe === true) return undefined;
    const decision = breaker.admit(now);
    if (decision === 'refuse') return breaker.retryAfter(now);
    if (decision === 'probe') user.circuitProbe = true;
    return undefined;
  }

  /** A request that passed has ended, or one try of it. */
  ended(user: CircuitUser | undefined, outcome: Outcome, now: number): void {
    const { breaker } = this;
    if (breaker === undefined) return;
    const probe = user?.circuitProbe === true;
    if (outcome.kind === 'response') breaker.record(outcome.status >= 500, probe, now);
    else if (outcome.kind === 'failed' && unsent.has(outcome.error.code)) return;
    else if (outcome.kind === 'failed' && outcome.error.side === 'upstream') breaker.record(true, probe, now);
    else if (probe) breaker.abandon();
    if (probe) user.circuitProbe = false;
  }

  /** A request that passed has left, or failed, without having been sent. */
  left(user: CircuitUser, failed: boolean, now: number): void {
    const { breaker } = this;
    const probe = user.circuitProbe === true;
    if (breaker === undefined) return;
    if (failed) breaker.record(true, probe, now);
    else if (probe) breaker.abandon();
    if (probe) user.circuitProbe = false;
  }

  private changed(state: CircuitState): void {
    this.metrics.circuit(state);
    const message = `the circuit of upstream ${this.upstream} is ${state}`;
    if (state === 'open') this.logger.warn(message, { upstream: this.upstream });
    else this.logger.info(message, { upstream: this.upstream });
  }
}
