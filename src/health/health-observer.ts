import type { Outcome } from '../balancer/admission.ts';

/** Is told how each request went, to find servers that fail although they take connections. */
export interface HealthObserver<S> {
  /**
   * A request at that server is over.
   * @param now `performance.now()`
   */
  observe(server: S, outcome: Outcome, now: number): void;
}
