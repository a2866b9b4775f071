import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Balancer, Selection } from '../../src/balancer/balancer.ts';
import { FakeExchange } from './fake-exchange.ts';
import { FakeServer } from './fake-server.ts';

/** A request for which a server is chosen. */
export function selection(tried?: readonly FakeServer[], request = new FakeExchange()): Selection<FakeServer> {
  return { context: request.withContext(), tried };
}

/** What every balancer promises, whatever its way to choose. */
export function testBalancerContract(makeBalancer: () => Balancer<FakeServer>): void {
  const three = () => [new FakeServer('a'), new FakeServer('b'), new FakeServer('c')] as const;

  test('no server at all gives none', () => {
    assert.equal(makeBalancer().pick([], 0, selection()), undefined);
  });

  test('the only server is taken even by a request that has failed on it', () => {
    const only = new FakeServer('a');
    assert.equal(makeBalancer().pick([only], 50, selection([only])), only);
  });

  test('a server that is away is passed over until its time is over', () => {
    const servers = three();
    const balancer = makeBalancer();
    servers[0].awayUntil = 100;
    servers[2].awayUntil = 200;
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(servers, 99, selection()), servers[1]);
    // Whatever the way to choose: a server that has nothing to do gets something once the others are busy.
    servers[1].active = 50;
    assert.equal(balancer.pick([servers[0], servers[2]], 150, selection()), servers[0]);
  });

  test('a saturated server is passed over', () => {
    const servers = three();
    servers[0].saturated = servers[1].saturated = true;
    const balancer = makeBalancer();
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(servers, 0, selection()), servers[2]);
    servers[2].saturated = true;
    assert.equal(balancer.pick(servers, 0, selection()), undefined);
  });

  test('servers that the request was tried on are passed over while there are others', () => {
    const servers = three();
    const balancer = makeBalancer();
    const request = selection([servers[0], servers[2]]);
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(servers, 0, request), servers[1]);
    servers[1].awayUntil = 10;
    assert.notEqual(balancer.pick(servers, 0, request), undefined);
  });

  test('when all are away there is none', () => {
    const servers = three();
    for (const server of servers) server.awayUntil = 1000;
    assert.equal(makeBalancer().pick(servers, 999, selection()), undefined);
    assert.equal(makeBalancer().pick(servers, 999, selection([servers[0]])), undefined);
  });

  test('a backup is taken only while no other server may take a request, before one that was tried', () => {
    const servers = three();
    servers[0].level = 2;
    servers[1].level = 1;
    const balancer = makeBalancer();
    for (let turn = 0; turn < 20; turn++) assert.equal(balancer.pick(servers, 0, selection()), servers[2]);
    assert.equal(balancer.pick(servers, 0, selection([servers[2]])), servers[1]);
    servers[2].awayUntil = 10;
    for (let turn = 0; turn < 20; turn++) assert.equal(balancer.pick(servers, 0, selection()), servers[1]);
    servers[1].awayUntil = 10;
    assert.equal(balancer.pick(servers, 0, selection()), servers[0]);
    assert.equal(balancer.pick(servers, 10, selection()), servers[2]);
  });

  test('no choice is made that the servers do not offer', () => {
    const servers = [new FakeServer('a', 3), new FakeServer('b'), new FakeServer('c', 2)];
    const balancer = makeBalancer();
    for (let turn = 0; turn < 200; turn++) {
      for (const [index, server] of servers.entries()) {
        server.awayUntil = (turn * 7 + index * 5) % 11 < 5 ? turn + 1 : 0;
        server.active = (turn * (index + 3)) % 5;
      }
      const picked = balancer.pick(servers, turn, selection());
      if (picked === undefined) assert.ok(servers.every((server) => !server.mayTake(turn)));
      else assert.ok(servers.includes(picked) && picked.mayTake(turn));
    }
  });
}
