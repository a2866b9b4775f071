import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConsistentHash } from '../../../src/balancer/consistent-hash.ts';
import type { HashConfig } from '../../../src/config/config.ts';
import { selection, testBalancerContract } from '../../support/balancer-contract.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { FakeServer } from '../../support/fake-server.ts';

const byTenant: HashConfig = { by: { header: 'x-tenant' }, maxLoad: false };

function servers(count: number, weight = 1): FakeServer[] {
  return Array.from({ length: count }, (_, index) => new FakeServer(`10.0.0.${index + 1}:8000`, weight));
}

function tenant(key: string) {
  return selection(undefined, new FakeExchange({ fields: { 'x-tenant': key } }));
}

const keys = Array.from({ length: 3000 }, (_, index) => `tenant-${index}`);
const requests = keys.map(tenant);

function placesOf(among: readonly FakeServer[], config = byTenant): (string | undefined)[] {
  const balancer = new ConsistentHash<FakeServer>(config);
  return requests.map((request) => balancer.pick(among, 0, request)?.name);
}

describe('consistent hash', () => {
  testBalancerContract(() => new ConsistentHash({ by: 'address', maxLoad: 1.5 }));

  test('the same key goes to the same server, in any worker and in whatever order the servers are', () => {
    const among = servers(5);
    assert.deepEqual(placesOf(among), placesOf(among));
    assert.deepEqual(placesOf(among), placesOf(among.toReversed()));
  });

  test('a server that leaves takes only its own keys along, about one in n', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(), (count, which) => {
        const among = servers(count);
        const leaves = among[which % count] as FakeServer;
        const before = placesOf(among);
        const after = placesOf(among.filter((server) => server !== leaves));
        let moved = 0;
        for (const [index, place] of before.entries()) {
          if (place === leaves.name) moved++;
          else assert.equal(after[index], place);
        }
        assert.ok(moved / keys.length <= 1.35 / count, `${moved} of ${keys.length} at ${count} servers`);
      }),
      { numRuns: 20 },
    );
  });

  test('a server that is away gives its keys up for that time only', () => {
    const among = servers(4);
    const before = placesOf(among);
    const away = among[2] as FakeServer;
    away.awayUntil = 10;
    for (const [index, place] of placesOf(among).entries()) {
      if (before[index] === away.name) assert.notEqual(place, away.name);
      else assert.equal(place, before[index]);
    }
    away.awayUntil = 0;
    assert.deepEqual(placesOf(among), before);
  });

  test('keys are shared by weight', () => {
    const among = servers(4);
    (among[0] as FakeServer).weight = 3;
    const places = placesOf(among);
    const heavy = places.filter((place) => place === among[0]?.name).length / places.length;
    assert.ok(Math.abs(heavy - 0.5) < 0.08, String(heavy));
  });

  test('huge weights make no huge ring, and a light server keeps a part', () => {
    const among = servers(3, 60_000);
    (among[0] as FakeServer).weight = 1;
    const places = placesOf(among);
    const share = places.filter((place) => place === among[1]?.name).length / places.length;
    assert.ok(Math.abs(share - 0.5) < 0.1, String(share));
  });

  test('no server gets more than its bound of what is in flight, even of a single key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 200 }), (count, inFlight) => {
        const among = servers(count);
        const balancer = new ConsistentHash<FakeServer>({ ...byTenant, maxLoad: 1.25 });
        const request = tenant('popular');
        for (let index = 0; index < inFlight; index++) {
          const server = balancer.pick(among, 0, request) as FakeServer;
          server.active++;
          assert.ok(server.active <= Math.ceil((1.25 * (index + 1)) / count));
        }
      }),
    );
  });

  test('a request that has failed goes to the next server of its key, and comes back to it when that failed as well', () => {
    const among = servers(3);
    const balancer = new ConsistentHash<FakeServer>(byTenant);
    const exchange = new FakeExchange({ fields: { 'x-tenant': 'acme' } });
    const first = balancer.pick(among, 0, selection([], exchange)) as FakeServer;
    const second = balancer.pick(among, 0, selection([first], exchange)) as FakeServer;
    assert.notEqual(second, first);
    const third = balancer.pick(among, 0, selection([first, second], exchange)) as FakeServer;
    assert.equal(new Set([first, second, third]).size, 3);
    assert.equal(balancer.pick(among, 0, selection(among, exchange)), first);
  });
});

describe('the key of a hash', () => {
  const pick = (by: HashConfig['by'], request: ConstructorParameters<typeof FakeExchange>[0]) =>
    new ConsistentHash<FakeServer>({ by, maxLoad: false }).pick(
      many,
      0,
      selection(undefined, new FakeExchange(request)),
    );
  const many = servers(50);

  test('is the path without the query', () => {
    const context = (path: string) => {
      const chosen = selection();
      chosen.context.path = path;
      return new ConsistentHash<FakeServer>({ by: 'path', maxLoad: false }).pick(many, 0, chosen);
    };
    assert.equal(context('/a'), context('/a'));
    assert.notEqual(context('/a'), context('/b'));
  });

  test('is a cookie', () => {
    const by = { cookie: 'session' } as const;
    const one = pick(by, { fields: { cookie: 'theme=dark; session=abc' } });
    assert.equal(pick(by, { fields: { cookie: 'session=abc; other=1' } }), one);
    assert.notEqual(pick(by, { fields: { cookie: 'session=abd' } }), one);
  });

  test('is the address where there is no such header or cookie, or an empty one', () => {
    const address = pick('address', {});
    assert.equal(pick({ header: 'x-tenant' }, {}), address);
    assert.equal(pick({ header: 'x-tenant' }, { fields: { 'x-tenant': '' } }), address);
    assert.equal(pick({ cookie: 'session' }, { fields: { cookie: 'sessions=1' } }), address);
  });
});
