import type { BalancedServer } from './balancer.ts';
import { TwoChoices } from './two-choices.ts';

/**
 * Of two servers the one that has fewer requests in flight for its weight. Slow servers get less to do, because what they
 * have stays longer. NGINX: `least_conn`; Envoy: `LEAST_REQUEST`.
 */
export class LeastRequests<S extends BalancedServer> extends TwoChoices<S> {
  protected cost(server: S, now: number): number {
    return (server.active + 1) / server.effectiveWeight(now);
  }
}
