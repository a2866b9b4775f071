import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PurgeOrder, PurgeTarget } from '../../../src/cache/purge.ts';
import { type Purgeable, PurgeOrders } from '../../../src/cache/purge-orders.ts';

function stored(key: string, requestTime: number, ...tags: string[]): Purgeable {
  return { key, requestTime, tags };
}

function order(id: number, time: number, what: PurgeTarget, soft = false): PurgeOrder {
  return { id, zone: 'default', time, what, soft };
}

function zoneWith(...orders: PurgeOrder[]) {
  const all = new PurgeOrders();
  all.add(orders);
  return { all, zone: all.zone('default') };
}

const host = 'example.org';

test('without orders nothing is concerned', () => {
  assert.equal(new PurgeOrders().zone('default').concerns(stored('example.org/', 0, 'a')), undefined);
});

test('an order concerns what was asked for up to its time, and nothing later', () => {
  const { zone } = zoneWith(order(1, 100, { kind: 'everything' }));
  assert.equal(zone.concerns(stored('example.org/', 99)), 'gone');
  assert.equal(zone.concerns(stored('example.org/', 100)), 'gone');
  assert.equal(zone.concerns(stored('example.org/', 101)), undefined);
});

test('an URL with its query concerns that one, with every variant and what else is in the key', () => {
  const { zone } = zoneWith(order(1, 100, { kind: 'url', host, path: '/a', query: 'x=1' }));
  assert.equal(zone.concerns(stored('example.org/a?x=1', 1)), 'gone');
  assert.equal(zone.concerns(stored('example.org/a?x=1 cookie:lang=en', 1)), 'gone');
  for (const key of [
    'example.org/a',
    'example.org/a?x=12',
    'example.org/a?x=1&y=2',
    'other.org/a?x=1',
    'example.org/ab',
  ]) {
    assert.equal(zone.concerns(stored(key, 1)), undefined, key);
  }
});

test('an URL with an empty query concerns the one without', () => {
  const { zone } = zoneWith(order(1, 100, { kind: 'url', host, path: '/a', query: '' }));
  assert.equal(zone.concerns(stored('example.org/a', 1)), 'gone');
  assert.equal(zone.concerns(stored('example.org/a?x=1', 1)), undefined);
});

test('an URL without a query concerns every query, and no other path', () => {
  const { zone } = zoneWith(order(1, 100, { kind: 'url', host, path: '/a', query: undefined }));
  assert.equal(zone.concerns(stored('example.org/a', 1)), 'gone');
  assert.equal(zone.concerns(stored('example.org/a?x=1 more', 1)), 'gone');
  assert.equal(zone.concerns(stored('example.org/a/b', 1)), undefined);
});

test('a prefix concerns what begins so on its host', () => {
  const { zone } = zoneWith(order(1, 100, { kind: 'prefix', host, path: '/blog/' }));
  assert.equal(zone.concerns(stored('example.org/blog/2026?page=2', 1)), 'gone');
  assert.equal(zone.concerns(stored('example.org/blog', 1)), undefined);
  assert.equal(zone.concerns(stored('www.example.org/blog/2026', 1)), undefined);
});

test('a host concerns its paths, with its port alone, and not the paths of keys without a host', () => {
  const { zone } = zoneWith(order(1, 100, { kind: 'host', host: 'example.org:8080' }));
  assert.equal(zone.concerns(stored('example.org:8080/a', 1)), 'gone');
  assert.equal(zone.concerns(stored('example.org/a', 1)), undefined);
  assert.equal(zone.concerns(stored('/example.org:8080', 1)), undefined);
  const without = zoneWith(order(1, 100, { kind: 'host', host: '' })).zone;
  assert.equal(without.concerns(stored('/a', 1)), 'gone');
  assert.equal(without.concerns(stored('example.org/a', 1)), undefined);
});

test('a tag concerns what has it, whatever its key', () => {
  const { zone } = zoneWith(order(1, 100, { kind: 'tag', tag: 'post-7' }));
  assert.equal(zone.concerns(stored('example.org/a', 1, 'post', 'post-7')), 'gone');
  assert.equal(zone.concerns(stored('example.org/a', 1, 'post-77')), undefined);
});

test('a soft order makes stale, and a hard one counts before it in whatever order they come', () => {
  const { all, zone } = zoneWith(order(1, 100, { kind: 'tag', tag: 'a' }, true));
  assert.equal(zone.concerns(stored('example.org/', 1, 'a')), 'stale');
  all.add([order(2, 50, { kind: 'prefix', host, path: '/' })]);
  assert.equal(zone.concerns(stored('example.org/', 1, 'a')), 'gone');
  assert.equal(zone.concerns(stored('example.org/', 60, 'a')), 'stale');
  all.add([order(3, 120, { kind: 'tag', tag: 'a' })]);
  assert.equal(zone.concerns(stored('example.org/', 110, 'a')), 'gone');
});

test('orders of another zone do not count', () => {
  const { all } = zoneWith(order(1, 100, { kind: 'everything' }));
  assert.equal(all.zone('media').concerns(stored('example.org/', 1)), undefined);
});

test('the version tells that verdicts may have changed', () => {
  const { all, zone } = zoneWith();
  const before = zone.version;
  all.add([order(1, 100, { kind: 'tag', tag: 'a' })]);
  assert.notEqual(zone.version, before);
});

test('holders of memory hear of orders before they are forgotten', () => {
  const { all, zone } = zoneWith(order(1, 100, { kind: 'tag', tag: 'a' }), order(2, 100, { kind: 'tag', tag: 'b' }));
  const heard: unknown[] = [];
  all.onRetire = (orders) => heard.push(...orders.map(({ id }) => [id, zone.concerns(stored('example.org/', 1, 'a'))]));
  all.retire([1, 99]);
  assert.deepEqual(heard, [[1, 'gone']]);
  assert.equal(zone.concerns(stored('example.org/', 1, 'a')), undefined);
  assert.equal(zone.concerns(stored('example.org/', 1, 'b')), 'gone');
  assert.equal(all.size, 1);
});

test('a later order for the same stays when the earlier one is forgotten', () => {
  const { all, zone } = zoneWith(order(1, 100, { kind: 'everything' }), order(2, 200, { kind: 'everything' }));
  all.retire([1]);
  assert.equal(zone.concerns(stored('example.org/', 150)), 'gone');
  all.retire([2]);
  assert.equal(zone.concerns(stored('example.org/', 150)), undefined);
});

test('a response under way is not kept, also when the order is forgotten before it has come in', () => {
  const { all, zone } = zoneWith(order(1, 100, { kind: 'tag', tag: 'a' }));
  assert.equal(zone.mayKeep(stored('example.org/', 90, 'a')), false);
  assert.equal(zone.mayKeep(stored('example.org/', 90, 'b')), true);
  assert.equal(zone.mayKeep(stored('example.org/', 110, 'a')), true);
  all.retire([1]);
  assert.equal(zone.mayKeep(stored('example.org/', 90, 'a')), false);
  assert.equal(zone.mayKeep(stored('example.org/', 110, 'a')), true);
});

test('an order of this worker is obeyed before the primary has numbered it, and forgotten with that one', () => {
  const { all, zone } = zoneWith();
  const what: PurgeTarget = { kind: 'url', host, path: '/a', query: undefined };
  all.anticipate({ zone: 'default', time: 100, what, soft: false });
  assert.equal(zone.concerns(stored('example.org/a', 100)), 'gone');
  all.add([order(5, 100, what)]);
  all.retire([5]);
  assert.equal(zone.concerns(stored('example.org/a', 100)), undefined);
});
