import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RoundRobin } from '../../../src/balancer/round-robin.ts';
import { selection, testBalancerContract } from '../../support/balancer-contract.ts';
import { FakeServer } from '../../support/fake-server.ts';

describe('round-robin', () => {
  testBalancerContract(() => new RoundRobin());

  test('takes servers of equal weight in turn', () => {
    const servers = [new FakeServer('a'), new FakeServer('b'), new FakeServer('c')];
    assert.equal(sequence(servers, 9), 'abcabcabc');
  });

  test('spreads a heavier server over the round', () => {
    assert.equal(sequence([new FakeServer('a', 5), new FakeServer('b'), new FakeServer('c')], 14), 'aabacaaaabacaa');
  });

  test('gives each server exactly its share of every round', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 }), (weights) => {
        const servers = weights.map((weight, index) => new FakeServer(String(index), weight));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const taken = sequence(servers, total * 2);
        for (const [index, weight] of weights.entries())
          assert.equal(taken.split(String(index)).length - 1, weight * 2);
      }),
    );
  });

  test('gives a server that starts slowly its part of its share', () => {
    const servers = [new FakeServer('a', 4), new FakeServer('b', 4)] as const;
    servers[0].share = 0.25;
    assert.equal(sequence(servers, 20).split('a').length - 1, 4);
  });

  test('goes on where it was for another route to the same servers', () => {
    const servers = [new FakeServer('a'), new FakeServer('b')];
    const routes = [new RoundRobin<FakeServer>(), new RoundRobin<FakeServer>()] as const;
    assert.equal(routes[0].pick(servers, 0, selection())?.name, 'a');
    assert.equal(routes[1].pick(servers, 0, selection())?.name, 'b');
  });

  test('does not let a server that was away catch up on what it missed', () => {
    const servers = [new FakeServer('a'), new FakeServer('b')] as const;
    servers[0].awayUntil = 10;
    sequence(servers, 50, 5);
    const taken = sequence(servers, 10, 10);
    assert.equal(taken.split('a').length - 1, 5);
  });
});

function sequence(servers: readonly FakeServer[], length: number, now = 0): string {
  const balancer = new RoundRobin<FakeServer>();
  return Array.from({ length }, () => balancer.pick(servers, now, selection())?.name).join('');
}
