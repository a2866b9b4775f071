import type { Balancer } from '../../src/balancer/balancer.ts';
import { selection } from './balancer-contract.ts';
import type { FakeServer } from './fake-server.ts';

/**
 * Lets so many clients send one request after the other to servers that take a certain time for each, on a clock of its
 * own. @returns which part of the requests each server got
 */
export function serveClosedLoop(
  balancer: Balancer<FakeServer>,
  servers: readonly FakeServer[],
  latenciesMs: readonly number[],
  clients: number,
  requests: number,
): { readonly shares: number[] } {
  const request = selection();
  const counts = servers.map(() => 0);
  const underWay: { readonly index: number; readonly endsAt: number }[] = [];
  const begin = (now: number) => {
    const server = balancer.pick(servers, now, request);
    if (server === undefined) throw new Error('no server was picked');
    const index = servers.indexOf(server);
    counts[index] = (counts[index] ?? 0) + 1;
    server.active++;
    underWay.push({ index, endsAt: now + (latenciesMs[index] ?? 0) });
  };
  for (let client = 0; client < clients; client++) begin(client / clients);
  for (let done = clients; done < requests; done++) {
    underWay.sort((one, two) => one.endsAt - two.endsAt);
    const next = underWay.shift();
    if (next === undefined) break;
    const server = servers[next.index] as FakeServer;
    server.active--;
    server.latency.observe(latenciesMs[next.index] ?? 0, next.endsAt);
    begin(next.endsAt);
  }
  return { shares: counts.map((count) => count / requests) };
}
