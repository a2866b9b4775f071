import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { retryDelay } from '../../../src/acme/retry-delay.ts';

const minuteMs = 60_000;

describe('the next attempt', () => {
  test('comes soon where the authority did not hear us, twice as late each time, and once an hour in the end', () => {
    const delays = [1, 2, 3, 20, 2000].map((failures) => retryDelay('unreachable', failures, 0, undefined));
    assert.deepEqual(delays, [10_000, 20_000, 40_000, 60 * minuteMs, 60 * minuteMs]);
  });

  test('comes so late that failed validations stay below five an hour', () => {
    let at = 0;
    const attempts = [0];
    for (let failures = 1; failures < 12; failures++) {
      at += retryDelay('validation', failures, 0, undefined);
      attempts.push(at);
    }
    for (const begin of attempts) {
      assert.ok(attempts.filter((time) => time >= begin && time < begin + 60 * minuteMs).length <= 5);
    }
    assert.equal(retryDelay('refused', 50, 0, undefined), 12 * 60 * minuteMs);
  });

  test('is never earlier than the authority asks for, and up to a fifth later at random', () => {
    assert.equal(retryDelay('rate_limited', 1, 0, 86_400_000), 86_400_000);
    assert.equal(retryDelay('unreachable', 1, 1, 1000), 12_000);
  });
});
