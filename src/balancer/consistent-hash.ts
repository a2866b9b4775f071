import type { HashConfig } from '../config/config.ts';
import type { BalancedServer, Selection } from './balancer.ts';
import { type Candidates, isEligible } from './candidates.ts';
import { EligibleBalancer } from './eligible-balancer.ts';
import { hashKey } from './hash-key.ts';
import { HashRing } from './hash-ring.ts';
import { hash32 } from './hash32.ts';

/**
 * Requests of the same key go to the same server, in all workers. One that has more than its share of the requests in
 * flight, times `maxLoad`, passes the next ones on along the ring, so that a popular key does not drown its server
 * ("consistent hashing with bounded loads", Mirrokni, Thorup and Zadimoghaddam, 2016).
 */
export class ConsistentHash<S extends BalancedServer> extends EligibleBalancer<S> {
  private readonly config: HashConfig;
  private ring = new HashRing([]);
  /** Whose ring it is. */
  private servers: readonly S[] = [];

  constructor(config: HashConfig) {
    super();
    this.config = config;
  }

  protected choose(candidates: Candidates<S>, now: number, selection: Selection<S>, servers: readonly S[]): S {
    if (servers !== this.servers) {
      this.servers = servers;
      this.ring = new HashRing(servers);
    }
    const perWeight = this.allowedPerWeight(candidates);
    const { ring } = this;
    const start = ring.find(hash32(hashKey(this.config.by, selection.context)));
    const tried = triedOf(candidates, selection);
    for (let step = 0; step < ring.size; step++) {
      const server = servers[ring.ownerAt(start + step)] as S;
      if (server.active >= Math.ceil(perWeight * server.weight)) continue;
      if (server.level === candidates.level && isEligible(server, now, tried)) return server;
    }
    return candidates.at(0);
  }

  /** Requests in flight that a server may have for each unit of its weight, the new one included. */
  private allowedPerWeight(candidates: Candidates<S>): number {
    const { maxLoad } = this.config;
    if (maxLoad === false) return Number.POSITIVE_INFINITY;
    let active = 1;
    let weight = 0;
    for (let index = 0; index < candidates.count; index++) {
      const server = candidates.at(index);
      active += server.active;
      weight += server.weight;
    }
    return (maxLoad * active) / weight;
  }
}

/** The servers to pass over: none where only such are left. */
function triedOf<S extends BalancedServer>(
  candidates: Candidates<S>,
  { tried }: Selection<S>,
): readonly S[] | undefined {
  return tried?.includes(candidates.at(0)) === true ? undefined : tried;
}
