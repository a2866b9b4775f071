import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Balancer } from '../../../src/balancer/balancer.ts';
import { createBalancer } from '../../../src/balancer/create-balancer.ts';
import { selection, testBalancerContract } from '../../support/balancer-contract.ts';
import { serveClosedLoop } from '../../support/closed-loop.ts';
import { FakeServer } from '../../support/fake-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const kinds = ['least-requests', 'random-two', 'peak-ewma'] as const;

function servers(...weights: number[]): FakeServer[] {
  return weights.map((weight, index) => new FakeServer(String(index), weight));
}

/** How many of so many requests each server gets when every one is over before the next begins. */
function sharesOneByOne(balancer: Balancer<FakeServer>, among: readonly FakeServer[], requests: number): number[] {
  const shares = among.map(() => 0);
  const request = selection();
  for (let turn = 0; turn < requests; turn++) {
    const picked = balancer.pick(among, turn, request);
    assert.ok(picked);
    picked.latency.observe(10, turn);
    const index = among.indexOf(picked);
    shares[index] = (shares[index] ?? 0) + 1;
  }
  return shares;
}

for (const kind of kinds) {
  describe(kind, () => {
    testBalancerContract(() => createBalancer(kind, seededRandom(7)));

    test('shares evenly among servers that are alike', () => {
      fc.assert(
        fc.property(fc.integer({ min: 2, max: 6 }), fc.integer(), (count, seed) => {
          const among = servers(...Array.from({ length: count }, () => 1));
          const latencies = among.map(() => 10);
          const { shares } = serveClosedLoop(createBalancer(kind, seededRandom(seed)), among, latencies, 8, 4000);
          for (const share of shares) assert.ok(Math.abs(share - 1 / count) < 0.06, shares.join(' '));
        }),
        { numRuns: 10 },
      );
    });

    test('gives a server that is ten times slower at most a fifth of the requests', () => {
      for (const others of [1, 2, 3, 5]) {
        const among = servers(1, ...Array.from({ length: others }, () => 1));
        const latencies = among.map((_, index) => (index === 0 ? 100 : 10));
        const balancer = createBalancer<FakeServer>(kind, seededRandom(11));
        const { shares } = serveClosedLoop(balancer, among, latencies, 16, 5000);
        assert.ok((shares[0] ?? 1) <= 0.2, `${others} others: ${shares.join(' ')}`);
      }
    });

    test('gives heavier servers more', () => {
      const among = servers(1, 3);
      const { shares } = serveClosedLoop(createBalancer(kind, seededRandom(3)), among, [10, 10], 32, 5000);
      assert.ok((shares[1] ?? 0) > 0.55, shares.join(' '));
    });

    test('gives a server that starts slowly less', () => {
      const among = servers(2, 2);
      (among[0] as FakeServer).share = 0.1;
      const { shares } = serveClosedLoop(createBalancer(kind, seededRandom(3)), among, [10, 10], 32, 2000);
      assert.ok((shares[0] ?? 1) < 0.45, shares.join(' '));
    });
  });
}

test('random-two shares by weight also where no two requests meet, but for what two draws level out', () => {
  const [light = 0, heavy = 0] = sharesOneByOne(createBalancer('random-two', seededRandom(5)), servers(1, 3), 4000);
  assert.ok(Math.abs(heavy / (light + heavy) - 0.75) < 0.03, `${light} ${heavy}`);
});

test('least-requests compares what is in flight with the weight', () => {
  const among = servers(1, 4);
  const [light, heavy] = among as [FakeServer, FakeServer];
  light.active = 1;
  heavy.active = 6;
  const balancer = createBalancer<FakeServer>('least-requests', seededRandom(1));
  for (let turn = 0; turn < 20; turn++) assert.equal(balancer.pick(among, 0, selection()), heavy);
  heavy.active = 8;
  for (let turn = 0; turn < 20; turn++) assert.equal(balancer.pick(among, 0, selection()), light);
});

describe('peak-ewma', () => {
  test('tries a server of which nothing is known, once', () => {
    const among = servers(1, 1);
    const [known, unknown] = among as [FakeServer, FakeServer];
    known.latency.observe(5, 0);
    const balancer = createBalancer<FakeServer>('peak-ewma', seededRandom(1));
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(among, 0, selection()), unknown);
    unknown.active = 1;
    known.active = 20;
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(among, 0, selection()), known);
  });

  test('avoids a server from its first slow response on, and comes back to it in time', () => {
    const among = servers(1, 1);
    const [one, two] = among as [FakeServer, FakeServer];
    const balancer = createBalancer<FakeServer>('peak-ewma', seededRandom(1));
    one.latency.observe(10, 0);
    two.latency.observe(10, 0);
    two.latency.observe(2000, 1);
    for (let turn = 0; turn < 10; turn++) assert.equal(balancer.pick(among, 2, selection()), one);
    let now = 2;
    while (balancer.pick(among, now, selection()) === one) {
      now += 1000;
      one.latency.observe(10, now);
      assert.ok(now < 120_000, 'the slow server never gets another chance');
    }
    assert.ok(now > 20_000, `after ${now} ms`);
  });
});
