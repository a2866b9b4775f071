import type { UpstreamConfig } from '../config/config.ts';
import type { Balancer } from './balancer.ts';
import { RoundRobin } from './round-robin.ts';

const makers = {
  'round-robin': () => new RoundRobin(),
} as const satisfies Record<UpstreamConfig['balance'], () => Balancer>;

/** The balancer of that name. */
export function createBalancer(name: UpstreamConfig['balance']): Balancer {
  return makers[name]();
}
