import type { BalancedServer } from './balancer.ts';

/**
 * Where a request goes that must not wait while no server may take it: the one that failed longest ago, one that was not
 * tried yet before all others. Never one that is saturated, drained or in maintenance.
 */
export function lastResort<S extends BalancedServer>(servers: readonly S[], tried?: readonly S[]): S | undefined {
  let best: S | undefined;
  let bestTried = true;
  for (const server of servers) {
    if (!server.inService || server.saturated) continue;
    const serverTried = tried?.includes(server) ?? false;
    const better = best === undefined || (serverTried === bestTried ? server.failedAt < best.failedAt : bestTried);
    if (!better) continue;
    best = server;
    bestTried = serverTried;
  }
  return best;
}
