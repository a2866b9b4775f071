import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RetryBudget } from '../../../src/balancer/retry-budget.ts';

function taken(budget: RetryBudget, now: number): number {
  let count = 0;
  while (count < 100_000 && budget.take(now)) count++;
  return count;
}

describe('a retry budget', () => {
  test('allows a fifth of the requests', () => {
    const budget = new RetryBudget(20);
    for (let request = 0; request < 10_000; request++) budget.request(5000);
    assert.equal(taken(budget, 5000), 2000);
  });

  test('allows some when there are few requests', () => {
    assert.equal(taken(new RetryBudget(20), 5000), 100);
    assert.equal(taken(new RetryBudget(0), 5000), 100);
  });

  test('forgets what is longer ago than its window', () => {
    const budget = new RetryBudget(20);
    for (let request = 0; request < 10_000; request++) budget.request(5000);
    taken(budget, 5000);
    assert.equal(budget.take(9000), false);
    assert.equal(taken(budget, 60_000), 100);
  });

  test('takes another share', () => {
    const budget = new RetryBudget(20);
    for (let request = 0; request < 10_000; request++) budget.request(5000);
    budget.configure(50);
    assert.equal(taken(budget, 5000), 5000);
  });
});
