import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TunnelCensus } from '../../../src/tunnel/tunnel-census.ts';

test('each route has its own places, and one that is given back twice is one', () => {
  const census = new TunnelCensus();
  const first = census.take('site', 'a', 2);
  const second = census.take('site', 'a', 2);
  assert.equal(census.take('site', 'a', 2), undefined);
  assert.notEqual(census.take('site', 'b', 2), undefined);
  assert.notEqual(census.take('other', 'a', 2), undefined);
  first?.release();
  first?.release();
  assert.notEqual(census.take('site', 'a', 2), undefined);
  assert.equal(census.take('site', 'a', 2), undefined);
  second?.release();
  assert.notEqual(census.take('site', 'a', 2), undefined);
});

test('a bound that was lowered lets nobody in until there is room below it', () => {
  const census = new TunnelCensus();
  const places = [1, 2, 3].map(() => census.take('site', 'a', 3));
  assert.equal(census.take('site', 'a', 1), undefined);
  for (const place of places.slice(1)) place?.release();
  assert.equal(census.take('site', 'a', 1), undefined);
  places[0]?.release();
  assert.notEqual(census.take('site', 'a', 1), undefined);
});
