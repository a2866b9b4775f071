import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RateTable } from '../../../src/limits/rate-table.ts';
import { seededRandom } from '../../support/seeded-random.ts';

function take(table: RateTable, high: number, low: number, now: number, interval: number): void {
  table.take(table.find(high, low, now), now, interval);
}

describe('the table of rates', () => {
  test('forgets no debt, however many other keys come', () => {
    const table = new RateTable(1024);
    for (let count = 0; count < 50; count++) take(table, 1, 1, 1000, 100);
    const random = seededRandom(7);
    for (let count = 0; count < 100_000; count++) take(table, random() * 2 ** 31, random() * 2 ** 31, 1000, 100);
    assert.ok(table.debt(table.find(1, 1, 1000), 1000) >= 5000);
    assert.ok(table.displaced > 0);
  });

  test('has no key undercounted under a flood, whoever owns its place meanwhile', () => {
    const table = new RateTable(8);
    const taken = new Map<number, number>();
    const random = seededRandom(3);
    for (let count = 0; count < 2000; count++) {
      const key = Math.floor(random() * 40);
      take(table, key, key, 1000, 1);
      taken.set(key, (taken.get(key) ?? 0) + 1);
    }
    for (const [key, requests] of taken)
      assert.ok(table.debt(table.find(key, key, 1000), 1000) >= requests, `key ${key}`);
  });

  test('lets a flood of keys have their rate as long as their debts are short', () => {
    const table = new RateTable(1024);
    // Each key once, a thousand a second, gone from memory after 100 ms.
    for (let count = 0; count < 20_000; count++) take(table, count, Math.imul(count, 0x9e3779b1), count, 100);
    assert.equal(table.displaced, 0);
  });

  test('hands out what is pending once, the oldest first, in pieces', () => {
    const table = new RateTable(8);
    for (const key of [1, 2, 3]) take(table, key, key, 1000, 10);
    take(table, 1, 1, 1000, 10);
    assert.deepEqual([...table.collect(2)], [1, 1, 2, 2, 2, 1]);
    take(table, 1, 1, 1000, 10);
    assert.deepEqual([...table.collect(10)], [3, 3, 1, 1, 1, 1]);
    assert.ok(!table.hasPending);
    assert.equal(table.collect(10).length, 0);
  });

  test('has room for every pending key, around its end too', () => {
    const table = new RateTable(8);
    for (let round = 0; round < 5; round++) {
      for (let key = 0; key < 8; key++) take(table, key, key * 8, 1000 + round, 1000);
      assert.equal(table.collect(5).length, 15);
      assert.equal(table.collect(8).length, 9);
    }
  });

  test('takes what it hears on top of what it has not told, and never lowers a debt', () => {
    const table = new RateTable(8);
    take(table, 1, 1, 1000, 10);
    table.learn(1, 1, 1000, 5, 10);
    assert.equal(table.debt(table.find(1, 1, 1000), 1000), 60);
    table.collect(1);
    table.learn(1, 1, 1000, 2, 10);
    assert.equal(table.debt(table.find(1, 1, 1000), 1000), 60);
  });

  test('keeps integers of the far ends apart', () => {
    const table = new RateTable(8);
    for (const [high, low] of [
      [-1, -1],
      [2 ** 31 - 1, -(2 ** 31)],
      [0, 0],
      [-(2 ** 31), 2 ** 31 - 1],
    ] as const) {
      take(table, high, low, 5, 10);
      assert.equal(table.debt(table.find(high, low, 5), 5), 10);
    }
  });

  test('keeps debts as requests when the rate changes', () => {
    const table = new RateTable(8);
    for (let count = 0; count < 4; count++) take(table, 1, 1, 1000, 10);
    table.rescale(5, 1000);
    assert.equal(table.debt(table.find(1, 1, 1000), 1000), 200);
  });

  test('does not break on a clock that goes back', () => {
    const table = new RateTable(8);
    take(table, 1, 1, 1000, 10);
    assert.equal(table.debt(table.find(1, 1, 900), 900), 110);
    take(table, 1, 1, 900, 10);
    assert.equal(table.debt(table.find(1, 1, 1020), 1020), 0);
  });
});
