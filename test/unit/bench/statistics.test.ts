import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, percentile, shuffled } from '../../../bench/statistics.ts';

test('the median of an odd number of values is the middle one, of an even number the mean of two', () => {
  assert.equal(median([30, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 30]), 3);
  assert.ok(Number.isNaN(median([])));
});

test('shuffling keeps every value and follows the random numbers', () => {
  const keys = [0.9, 0.1, 0.5];
  assert.deepEqual(
    shuffled(['a', 'b', 'c'], () => keys.shift() ?? 0),
    ['b', 'c', 'a'],
  );
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1);
  assert.equal(percentile(values, 0.5), 100);
  assert.equal(percentile(values, 0.99), 198);
  assert.equal(percentile(values, 1), 200);
  assert.ok(Number.isNaN(percentile([], 0.99)));
});
