import type { BalancedServer, Balancer, Selection } from './balancer.ts';
import { Candidates } from './candidates.ts';

/** What all balancers have in common: who can be chosen at all. A way to choose says whom of them. */
export abstract class EligibleBalancer<S extends BalancedServer> implements Balancer<S> {
  private readonly candidates = new Candidates<S>();

  pick(servers: readonly S[], now: number, selection: Selection<S>): S | undefined {
    const { candidates } = this;
    const { tried } = selection;
    if (!candidates.collect(servers, now, tried)) {
      // All that are left were tried: a connection that died under a request says little about its server.
      if (tried === undefined || tried.length === 0 || !candidates.collect(servers, now, undefined)) return undefined;
    }
    return candidates.count === 1 ? candidates.at(0) : this.choose(candidates, now, selection, servers);
  }

  /**
   * Chooses among two or more.
   * @param servers all of the upstream, eligible or not; the same array as long as neither servers nor weights change
   */
  protected abstract choose(candidates: Candidates<S>, now: number, selection: Selection<S>, servers: readonly S[]): S;
}
