import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ZoneCounts } from '../../../src/ipc/message.ts';
import { RateExchange } from '../../../src/worker/rate-exchange.ts';
import { LimitBench, limitedRequest, usualRate } from '../../support/limit-zone.ts';
import { waitFor } from '../../support/wait-for.ts';

function startExchange(t: TestContext) {
  const bench = new LimitBench();
  const told: ZoneCounts[] = [];
  const exchange = new RateExchange(bench.zones, (zones) => told.push(...zones));
  t.after(() => exchange.close());
  const now = performance.now();
  const use = () => bench.use({ rateLimits: { api: { ...usualRate, interval: 60_000 } } }, { rateLimit: ['api'] }, now);
  return { bench, told, exchange, use };
}

describe('the exchange of counts', () => {
  test('tells what was counted, each request once', async (t) => {
    const { told, exchange, use } = startExchange(t);
    const limits = use();
    exchange.configured();
    limits.admit(limitedRequest(), performance.now());
    limits.admit(limitedRequest(), performance.now());
    await waitFor(() => told.reduce((sum, { counts }) => sum + (counts[2] ?? 0), 0) === 2, 'the counts');
    exchange.close();
    assert.equal(
      told.reduce((sum, { counts }) => sum + (counts[2] ?? 0), 0),
      2,
    );
  });

  test('takes in what others counted, also what came before there was a configuration', async (t) => {
    const one = startExchange(t);
    const limits = one.use();
    one.exchange.configured();
    limits.admit(limitedRequest(), performance.now());
    await waitFor(() => one.told.length > 0, 'the counts');
    const [high = 0, low = 0] = one.told[0]?.counts ?? [];

    const late = startExchange(t);
    late.exchange.receive([
      { zone: 'api', debts: Float64Array.of(high, low, 3) },
      { zone: 'gone', debts: Float64Array.of(1, 2, 3) },
    ]);
    const lateLimits = late.use();
    late.exchange.configured();
    assert.equal(lateLimits.admit(limitedRequest(), performance.now())?.code, 'rate_limited');
    assert.equal(limits.admit(limitedRequest(), performance.now()), undefined);
  });
});
