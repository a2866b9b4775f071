import type { BalancedServer } from './balancer.ts';
import type { Candidates } from './candidates.ts';
import { EligibleBalancer } from './eligible-balancer.ts';
import type { Random } from './two-choices.ts';

/**
 * Draws two servers, a heavier one more often, and takes the one that has fewer requests in flight for its weight. Shares
 * follow the weights also where there is little to do. NGINX: `random two`.
 */
export class RandomTwo<S extends BalancedServer> extends EligibleBalancer<S> {
  private readonly random: Random;

  constructor(random: Random = Math.random) {
    super();
    this.random = random;
  }

  protected choose(candidates: Candidates<S>, now: number): S {
    let total = 0;
    for (let index = 0; index < candidates.count; index++) total += candidates.at(index).effectiveWeight(now);
    const one = this.draw(candidates, now, total, undefined);
    const two = this.draw(candidates, now, total - one.effectiveWeight(now), one);
    return two.active * one.effectiveWeight(now) < one.active * two.effectiveWeight(now) ? two : one;
  }

  private draw(candidates: Candidates<S>, now: number, total: number, except: S | undefined): S {
    let rest = this.random() * total;
    let drawn: S | undefined;
    for (let index = 0; index < candidates.count; index++) {
      const server = candidates.at(index);
      if (server === except) continue;
      drawn = server;
      rest -= server.effectiveWeight(now);
      if (rest < 0) break;
    }
    return drawn ?? candidates.at(0);
  }
}
