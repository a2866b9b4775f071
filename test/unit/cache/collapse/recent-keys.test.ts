import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentKeys } from '../../../../src/cache/collapse/recent-keys.ts';
import { maxVariants, VariantBound } from '../../../../src/cache/collapse/variant-bound.ts';

test('keys are remembered until their time, and no more of them than the bound', () => {
  const keys = new RecentKeys(2);
  keys.add('a', 100);
  assert.equal(keys.has('a', 99), true);
  assert.equal(keys.has('a', 100), false);
  keys.add('b', 200);
  keys.add('c', 200);
  keys.add('b', 300);
  keys.add('d', 200);
  assert.equal(keys.has('c', 150), false, 'the oldest has left');
  assert.equal(keys.has('b', 250), true);
});

test('a key has so many variants and no more, for a while', () => {
  const bound = new VariantBound();
  for (let count = 0; count < maxVariants; count++) assert.equal(bound.admits('k', `v${count}`, 0), true);
  assert.equal(bound.admits('k', 'one more', 1), false);
  assert.equal(bound.admits('k', 'v0', 1), true, 'one of those there are');
  assert.equal(bound.admits('k', '', 1), true, 'one that does not vary');
  assert.equal(bound.admits('other', 'one more', 1), true);
  assert.equal(bound.admits('k', 'one more', 3_600_000), true);
});
