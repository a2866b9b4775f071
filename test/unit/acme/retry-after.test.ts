import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRetryAfter } from '../../../src/acme/retry-after.ts';

const now = Date.UTC(2030, 0, 1);

describe('Retry-After', () => {
  for (const [value, expected] of [
    ['120', 120_000],
    [' 5 ', 5000],
    ['0', 0],
    ['Tue, 01 Jan 2030 00:01:00 GMT', 60_000],
    ['Mon, 31 Dec 2029 00:00:00 GMT', 0],
    ['99999999999', 7 * 86_400_000],
    ['soon', undefined],
    ['', undefined],
    ['-5x', undefined],
    [undefined, undefined],
  ] as const) {
    test(`${value} means ${expected === undefined ? 'nothing' : `${expected} ms`}`, () => {
      assert.equal(parseRetryAfter(value, now), expected);
    });
  }
});
