import type { BalancedServer } from './balancer.ts';
import { TwoChoices } from './two-choices.ts';

/** What a request costs at a server that has not answered yet, milliseconds: more than at any that has. */
const unknownMs = 1_000_000;

/**
 * Of two servers the one that is likely to be done first: its latency, as it was seen of late and with its peaks, times
 * the requests it has in flight, for its weight. A server of which nothing is known gets one request to show it.
 */
export class PeakEwma<S extends BalancedServer> extends TwoChoices<S> {
  protected cost(server: S, now: number): number {
    const { active } = server;
    const latencyMs = server.latencyMs(now);
    if (latencyMs === 0) return active === 0 ? 0 : (unknownMs * active) / server.effectiveWeight(now);
    return (latencyMs * (active + 1)) / server.effectiveWeight(now);
  }
}
