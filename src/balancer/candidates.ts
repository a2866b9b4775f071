import type { BalancedServer } from './balancer.ts';

/**
 * The servers that a request can go to: those of the lowest level that has any. One list is used over and over, so that
 * choosing allocates nothing; only its first `count` entries count.
 */
export class Candidates<S extends BalancedServer> {
  readonly list: S[] = [];
  count = 0;
  level = 0;

  /** Finds them anew. @returns whether there are any */
  collect(servers: readonly S[], now: number, tried: readonly S[] | undefined): boolean {
    this.count = 0;
    this.level = Number.POSITIVE_INFINITY;
    for (const server of servers) {
      if (server.level > this.level || !isEligible(server, now, tried)) continue;
      if (server.level < this.level) {
        this.level = server.level;
        this.count = 0;
      }
      this.list[this.count++] = server;
    }
    return this.count > 0;
  }

  at(index: number): S {
    return this.list[index] as S;
  }
}

/** Whether a server can get a request that has failed on `tried`. */
export function isEligible<S extends BalancedServer>(server: S, now: number, tried: readonly S[] | undefined): boolean {
  return !server.saturated && server.mayTake(now) && (tried === undefined || !tried.includes(server));
}
