import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HoldTable } from '../../../src/limits/hold-table.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import type { RequestContext } from '../../../src/request/request-context.ts';
import { LimitBench, limitedRequest, usualRate } from '../../support/limit-zone.ts';

const usual = { key: ['address'], limit: 2, status: 503, dryRun: false, exempt: [], exemptHeaders: {} } as const;

function release({ places }: RequestContext): void {
  for (const place of places ?? []) place.release();
}

describe('a limit of requests at a time', () => {
  test('refuses what is too much until something has finished', () => {
    const limits = new LimitBench().use({ concurrencyLimits: { one: usual } }, { concurrencyLimit: ['one'] });
    const contexts = [limitedRequest(), limitedRequest(), limitedRequest()] as const;
    assert.deepEqual(
      contexts.map((context) => limits.admit(context, 1000)?.status),
      [undefined, undefined, 503],
    );
    assert.equal(contexts[2].places, undefined);
    assert.equal(limits.admit(limitedRequest({ connection: { remoteAddress: '192.0.2.9' } }), 1000), undefined);
    release(contexts[0]);
    assert.equal(limits.admit(limitedRequest(), 1000), undefined);
  });

  test('is taken in all zones or in none, and a refused request costs nothing of a rate', () => {
    const bench = new LimitBench();
    const config = { concurrencyLimits: { a: usual, b: { ...usual, limit: 1 } }, rateLimits: { api: usualRate } };
    const limits = bench.use(config, { concurrencyLimit: ['a', 'b'], rateLimit: ['api'] });
    const first = limitedRequest();
    assert.equal(limits.admit(first, 1000), undefined);
    for (let count = 0; count < 9; count++)
      assert.equal(limits.admit(limitedRequest(), 1000)?.code, 'too_many_at_a_time');
    release(first);
    assert.equal(limits.admit(limitedRequest(), 1000), undefined);
    assert.equal(bench.recorder.value(metricNames.rateLimitRequests, { zone: 'api', result: 'passed' }), 2);
  });

  test('counts on over a reload', () => {
    const bench = new LimitBench();
    const limits = bench.use({ concurrencyLimits: { one: usual } }, { concurrencyLimit: ['one'] });
    const context = limitedRequest();
    limits.admit(context, 1000);
    const narrower = bench.use({ concurrencyLimits: { one: { ...usual, limit: 1 } } }, { concurrencyLimit: ['one'] });
    assert.equal(narrower.admit(limitedRequest(), 1000)?.status, 503);
    release(context);
    assert.equal(narrower.admit(limitedRequest(), 1000), undefined);
  });
});

describe('the table of what is held', () => {
  test('forgets a key that nobody holds', () => {
    const table = new HoldTable();
    for (let key = 0; key < 10_000; key++) {
      const hold = table.find(key, key << 12);
      hold.take();
      hold.release();
    }
    table.collect();
    assert.equal(table.size, 0);
  });

  test('tells what is held as a whole number, and its end', () => {
    const table = new HoldTable();
    const hold = table.find(1, 0);
    hold.take();
    hold.take();
    assert.deepEqual([...table.collect()], [2 ** 21, 2]);
    assert.equal(table.collect().length, 0);
    hold.release();
    hold.release();
    hold.release();
    assert.deepEqual([...table.collect()], [2 ** 21, 0]);
    assert.equal(table.size, 0);
  });

  test('keeps the few of most keys out of the messages', () => {
    const table = new HoldTable();
    table.tellFrom = 2;
    const hold = table.find(-1, -1);
    hold.take();
    assert.equal(table.collect().length, 0);
    hold.take();
    assert.deepEqual([...table.collect()], [hold.id, 2]);
    hold.release();
    assert.deepEqual([...table.collect()], [hold.id, 0]);
  });
});
