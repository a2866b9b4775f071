import type { BalancedServer, Balancer } from './balancer.ts';

/**
 * Smooth weighted round-robin, as NGINX has it: each turn every server gains its weight, the one that has most is taken
 * and pays the sum. Weights 5, 1, 1 give `a a b a c a a`, not `a a a a a b c`.
 */
export class RoundRobin implements Balancer {
  pick<S extends BalancedServer>(servers: readonly S[], now: number, tried: readonly S[] = []): S | undefined {
    if (servers.length === 1) return servers[0];
    let best: S | undefined;
    let total = 0;
    for (const server of servers) {
      if (now < server.backedOffUntil || (tried.length > 0 && tried.includes(server))) continue;
      server.currentWeight += server.weight;
      total += server.weight;
      if (best === undefined || server.currentWeight > best.currentWeight) best = server;
    }
    if (best === undefined) return lastResort(servers, tried);
    best.currentWeight -= total;
    return best;
  }
}

/** The server that failed longest ago, one not tried yet before all others. */
function lastResort<S extends BalancedServer>(servers: readonly S[], tried: readonly S[]): S | undefined {
  let best: S | undefined;
  let bestTried = true;
  for (const server of servers) {
    const serverTried = tried.includes(server);
    const better = best === undefined || (serverTried === bestTried ? server.failedAt < best.failedAt : bestTried);
    if (!better) continue;
    best = server;
    bestTried = serverTried;
  }
  return best;
}
