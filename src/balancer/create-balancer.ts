import type { UpstreamConfig } from '../config/config.ts';
import type { BalancedServer, Balancer } from './balancer.ts';
import { RoundRobin } from './round-robin.ts';

/** The balancer that the configuration asks for. */
export function createBalancer<S extends BalancedServer>(balance: UpstreamConfig['balance']): Balancer<S> {
  switch (balance) {
    case 'round-robin':
      return new RoundRobin<S>();
  }
}
