import type { BalancedServer } from './balancer.ts';
import type { Candidates } from './candidates.ts';
import { EligibleBalancer } from './eligible-balancer.ts';

/**
 * Smooth weighted round-robin, as NGINX has it: each turn every server gains its weight, the one that has most is taken
 * and pays the sum. Weights 5, 1, 1 give `a a b a c a a`, not `a a a a a b c`.
 */
export class RoundRobin<S extends BalancedServer> extends EligibleBalancer<S> {
  protected choose(candidates: Candidates<S>, now: number): S {
    let best = candidates.at(0);
    let total = 0;
    for (let index = 0; index < candidates.count; index++) {
      const server = candidates.at(index);
      const weight = server.effectiveWeight(now);
      server.currentWeight += weight;
      total += weight;
      if (server.currentWeight > best.currentWeight) best = server;
    }
    best.currentWeight -= total;
    return best;
  }
}
