import type { BalancedServer } from '../../src/balancer/balancer.ts';
import { LatencyEstimate } from '../../src/upstream/latency-estimate.ts';

/** A server as a balancer sees it. */
export class FakeServer implements BalancedServer {
  readonly name: string;
  weight: number;
  level = 0;
  active = 0;
  saturated = false;
  currentWeight = 0;
  failedAt = 0;
  inService = true;
  /** What it has of its weight. */
  share = 1;
  /** Takes no request before that time. */
  awayUntil = 0;
  /** Takes sessions that it has all the same. */
  drained = false;
  readonly latency = new LatencyEstimate();

  constructor(name: string, weight = 1) {
    this.name = name;
    this.weight = weight;
  }

  mayTake(now: number): boolean {
    return !this.drained && now >= this.awayUntil;
  }

  mayKeep(now: number): boolean {
    return now >= this.awayUntil;
  }

  effectiveWeight(): number {
    return this.weight * this.share;
  }

  latencyMs(now: number): number {
    return this.latency.current(now);
  }
}
