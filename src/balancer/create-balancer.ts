import type { UpstreamConfig } from '../config/config.ts';
import type { BalancedServer, Balancer } from './balancer.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { LeastRequests } from './least-requests.ts';
import { PeakEwma } from './peak-ewma.ts';
import { RandomTwo } from './random-two.ts';
import { RoundRobin } from './round-robin.ts';
import type { Random } from './two-choices.ts';

/** The balancer that the configuration asks for. */
export function createBalancer<S extends BalancedServer>(
  balance: UpstreamConfig['balance'],
  random: Random = Math.random,
): Balancer<S> {
  if (typeof balance === 'object') return new ConsistentHash<S>(balance.hash);
  switch (balance) {
    case 'round-robin':
      return new RoundRobin<S>();
    case 'least-requests':
      return new LeastRequests<S>(random);
    case 'random-two':
      return new RandomTwo<S>(random);
    case 'peak-ewma':
      return new PeakEwma<S>(random);
  }
}
