import type { BalancedServer } from './balancer.ts';
import type { Candidates } from './candidates.ts';
import { EligibleBalancer } from './eligible-balancer.ts';

/** A number of at least 0 and less than 1, as `Math.random` gives it. */
export type Random = () => number;

/**
 * The power of two choices: draws two servers, each as likely as any other, and takes the cheaper one. Workers that know
 * nothing of one another do not all run to the one server that looks best, as they would if they compared all.
 */
export abstract class TwoChoices<S extends BalancedServer> extends EligibleBalancer<S> {
  private readonly random: Random;

  constructor(random: Random = Math.random) {
    super();
    this.random = random;
  }

  protected choose(candidates: Candidates<S>, now: number): S {
    const { count } = candidates;
    const first = Math.floor(this.random() * count);
    const other = Math.floor(this.random() * (count - 1));
    const one = candidates.at(first);
    const two = candidates.at(other < first ? other : other + 1);
    return this.cost(two, now) < this.cost(one, now) ? two : one;
  }

  /** What it costs to give the server one more request; the unit does not matter. */
  protected abstract cost(server: S, now: number): number;
}
