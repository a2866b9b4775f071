import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BalancedServer, Balancer } from '../../src/balancer/balancer.ts';

/** A server as a balancer sees it. */
export class FakeServer implements BalancedServer {
  readonly name: string;
  readonly weight: number;
  currentWeight = 0;
  backedOffUntil = 0;
  failedAt = 0;

  constructor(name: string, weight = 1) {
    this.name = name;
    this.weight = weight;
  }
}

/** What every balancer promises, whatever its way to choose. */
export function testBalancerContract(makeBalancer: () => Balancer): void {
  const [a, b, c] = ['a', 'b', 'c'] as const;

  test('no server at all gives none', () => {
    assert.equal(makeBalancer().pick([], 0), undefined);
  });

  test('the only server is taken, even when it is backed off and was tried', () => {
    const only = new FakeServer(a);
    only.backedOffUntil = 100;
    assert.equal(makeBalancer().pick([only], 50, [only]), only);
  });

  test('a server that is backed off is passed over until its time is over', () => {
    const servers = [new FakeServer(a), new FakeServer(b)] as const;
    const balancer = makeBalancer();
    servers[0].backedOffUntil = 100;
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(servers, 99), servers[1]);
    const names = new Set(Array.from({ length: 40 }, () => balancer.pick(servers, 100)?.name));
    assert.deepEqual([...names].toSorted(), [a, b]);
  });

  test('servers that the request was tried on are passed over while there are others', () => {
    const servers = [new FakeServer(a), new FakeServer(b), new FakeServer(c)] as const;
    const balancer = makeBalancer();
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(servers, 0, [servers[0], servers[2]]), servers[1]);
  });

  test('when all are backed off, the one that failed longest ago is taken', () => {
    const servers = [new FakeServer(a), new FakeServer(b), new FakeServer(c)] as const;
    for (const [index, server] of servers.entries()) {
      server.backedOffUntil = 1000;
      server.failedAt = [30, 10, 20][index] as number;
    }
    const balancer = makeBalancer();
    assert.equal(balancer.pick(servers, 50), servers[1]);
    assert.equal(balancer.pick(servers, 50, [servers[1]]), servers[2], 'of those not tried, when there are any');
    assert.equal(balancer.pick(servers, 50, servers), servers[1]);
  });

  test('a server that is backed off but not tried is taken before one that was tried', () => {
    const servers = [new FakeServer(a), new FakeServer(b)] as const;
    servers[1].backedOffUntil = 100;
    servers[1].failedAt = 90;
    assert.equal(makeBalancer().pick(servers, 95, [servers[0]]), servers[1]);
  });

  test('no choice is made that the servers do not offer', () => {
    const servers = [new FakeServer(a, 3), new FakeServer(b), new FakeServer(c, 2)];
    const balancer = makeBalancer();
    for (let turn = 0; turn < 100; turn++) {
      for (const server of servers) server.backedOffUntil = (turn * 7) % 11 < 5 ? turn + 1 : 0;
      assert.ok(servers.includes(balancer.pick(servers, turn) as FakeServer));
    }
  });
}
