import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RouteLimits } from '../../../src/limits/route-limits.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import type { FakeRequest } from '../../support/fake-exchange.ts';
import { LimitBench, limitedRequest, usualRate } from '../../support/limit-zone.ts';

function passed(limits: RouteLimits, count: number, now: number, request: FakeRequest = {}): number {
  let sum = 0;
  for (let index = 0; index < count; index++) if (limits.admit(limitedRequest(request), now) === undefined) sum++;
  return sum;
}

const from = (remoteAddress: string): FakeRequest => ({ connection: { remoteAddress } });

describe('the limits of a route', () => {
  test('let the burst and one more pass at once, and then the rate', () => {
    const limits = new LimitBench().use({ rateLimits: { api: usualRate } }, { rateLimit: ['api'] });
    assert.equal(passed(limits, 10, 1000), 3);
    assert.equal(passed(limits, 10, 1100), 1);
    assert.equal(passed(limits, 10, 1500), 3);
  });

  test('give no second burst at the boundary of a second', () => {
    const rate = { ...usualRate, interval: 10, burst: 100 };
    const limits = new LimitBench().use({ rateLimits: { api: rate } }, { rateLimit: ['api'] });
    assert.equal(passed(limits, 1000, 1999.9), 101);
    assert.equal(passed(limits, 1000, 2000.1), 0);
  });

  test('keep to the rate over a long time, whatever the fractions', () => {
    const rate = { ...usualRate, interval: 1000 / 3, burst: 0 };
    const limits = new LimitBench().use({ rateLimits: { api: rate } }, { rateLimit: ['api'] });
    let sum = 0;
    for (let now = 1000; now < 101_000; now += 7) sum += passed(limits, 1, now);
    assert.ok(sum >= 298 && sum <= 301, String(sum));
  });

  test('count addresses apart, and IPv6 by the first 64 bits', () => {
    const limits = new LimitBench().use({ rateLimits: { api: usualRate } }, { rateLimit: ['api'] });
    assert.equal(passed(limits, 5, 1000, from('192.0.2.1')), 3);
    assert.equal(passed(limits, 5, 1000, from('192.0.2.2')), 3);
    assert.equal(passed(limits, 5, 1000, from('2001:db8::1')), 3);
    assert.equal(passed(limits, 5, 1000, from('2001:db8::ffff:1')), 0);
  });

  test('are not got round by addresses that a client makes up', () => {
    const limits = new LimitBench().use({ rateLimits: { api: usualRate } }, { rateLimit: ['api'] });
    let sum = 0;
    for (let index = 0; index < 20; index++) {
      sum += passed(limits, 1, 1000, {
        fields: { 'X-Forwarded-For': `10.0.0.${index}`, Forwarded: `for=10.1.0.${index}` },
      });
    }
    assert.equal(sum, 3);
  });

  test('count by header or cookie, and by address where these are missing', () => {
    const rate = { ...usualRate, key: [{ header: 'x-key' }, { cookie: 'sid' }] };
    const limits = new LimitBench().use({ rateLimits: { api: rate } }, { rateLimit: ['api'] });
    const request = { fields: { 'X-Key': 'a', Cookie: 'x=1; sid=2' } };
    assert.equal(passed(limits, 5, 1000, request), 3);
    assert.equal(passed(limits, 5, 1000, { fields: { 'X-Key': 'a', Cookie: 'sid=3' } }), 3);
    assert.equal(passed(limits, 5, 1000), 3);
    assert.equal(passed(limits, 5, 1000, { fields: { 'X-Key': '192.0.2.1', Cookie: 'sid=192.0.2.1' } }), 3);
  });

  test('count a request of several zones in all of them or in none', () => {
    const narrow = { ...usualRate, burst: 0 };
    const bench = new LimitBench();
    const rateLimits = { wide: { ...usualRate, burst: 9 }, narrow };
    const both = bench.use({ rateLimits }, { rateLimit: ['wide', 'narrow'] });
    assert.equal(passed(both, 20, 1000), 1);
    const wide = bench.use({ rateLimits }, { rateLimit: ['wide'] });
    assert.equal(passed(wide, 20, 1000), 9);
  });

  test('say when to come again, and what the limit is', () => {
    const rate = { ...usualRate, interval: 2500, burst: 0, status: 503 };
    const limits = new LimitBench().use({ rateLimits: { api: rate } }, { rateLimit: ['api'] });
    passed(limits, 1, 1000);
    const error = limits.admit(limitedRequest(), 1000);
    assert.equal(error?.status, 503);
    assert.equal(error.code, 'rate_limited');
    assert.equal(
      error.fields?.toString(),
      '\r\nRetry-After: 2\r\nRateLimit-Policy: "api";q=1;w=3\r\nRateLimit: "api";r=0;t=2',
    );
  });

  test('tell what is left in every response where that is asked for', async () => {
    const limits = new LimitBench().use(
      { rateLimits: { api: { ...usualRate, fields: 'all' } } },
      { rateLimit: ['api'] },
    );
    const context = limitedRequest();
    const { exchange } = context;
    assert.equal(limits.admit(context, 1000), undefined);
    let block = '';
    exchange.respond = (head) => {
      block = head.block.toString();
    };
    context.exchange.respond(responseHead(200, []), Buffer.from('x'));
    assert.match(block, /\r\nRateLimit-Policy: "api";q=3;w=1\r\nRateLimit: "api";r=2;t=1$/);
  });

  test('only count and log in a dry run, with the counts of a real one', () => {
    const bench = new LimitBench();
    const limits = bench.use({ rateLimits: { api: { ...usualRate, dryRun: true } } }, { rateLimit: ['api'] });
    assert.equal(passed(limits, 10, 1000), 10);
    const count = (result: string): number =>
      bench.recorder.value(metricNames.rateLimitRequests, { zone: 'api', result });
    assert.deepEqual([count('passed'), count('dry_run'), count('refused')], [3, 7, 0]);
    assert.deepEqual(bench.logger.messages(), ['the rate limit api would refuse requests (dryRun)']);
  });

  test('hold neither for exempt addresses nor for those who know the secret', () => {
    const rate = { ...usualRate, exempt: ['10.0.0.0/8', '2001:db8::/32'], exemptHeaders: { 'X-Internal': 's3cret' } };
    const bench = new LimitBench();
    const limits = bench.use({ rateLimits: { api: rate } }, { rateLimit: ['api'] });
    assert.equal(passed(limits, 9, 1000, from('10.9.9.9')), 9);
    assert.equal(passed(limits, 9, 1000, from('2001:db8::9')), 9);
    assert.equal(passed(limits, 9, 1000, { fields: { 'X-Internal': 's3cret' } }), 9);
    for (const value of ['s3crex', 's3cre', 's3crett', '']) {
      assert.equal(passed(limits, 9, 2000, { ...from(`192.0.2.${value.length}`), fields: { 'X-Internal': value } }), 3);
      limits.admit(limitedRequest(), 99_999);
    }
    assert.equal(bench.recorder.value(metricNames.rateLimitRequests, { zone: 'api', result: 'exempt' }), 27);
  });

  test('log what refuses once, without the key', () => {
    const bench = new LimitBench();
    const rate = { ...usualRate, key: [{ header: 'x-key' }] };
    const limits = bench.use({ rateLimits: { api: rate } }, { rateLimit: ['api'] });
    passed(limits, 100, 1000, { fields: { 'X-Key': 'very-secret' } });
    assert.equal(bench.logger.entries.length, 1);
    assert.doesNotMatch(JSON.stringify(bench.logger.entries), /very-secret/);
  });

  test('remember over a reload what keys have used up, also when the rate changes', () => {
    const bench = new LimitBench();
    passed(bench.use({ rateLimits: { api: usualRate } }, { rateLimit: ['api'] }), 3, 1000);
    const slower = { ...usualRate, interval: 1000 };
    const limits = bench.use({ rateLimits: { api: slower } }, { rateLimit: ['api'] }, 1000);
    assert.equal(passed(limits, 3, 1400), 0);
    assert.equal(passed(limits, 3, 2000), 1);
  });

  test('begin anew where the key means something else', () => {
    const bench = new LimitBench();
    passed(bench.use({ rateLimits: { api: usualRate } }, { rateLimit: ['api'] }), 3, 1000);
    const limits = bench.use({ rateLimits: { api: { ...usualRate, key: ['host'] } } }, { rateLimit: ['api'] });
    assert.equal(passed(limits, 5, 1000), 3);
  });

  test('take a hundred thousand keys in bounded memory without forgetting who was first', () => {
    const limits = new LimitBench().use(
      { rateLimits: { api: { ...usualRate, interval: 60_000 } } },
      { rateLimit: ['api'] },
    );
    assert.equal(passed(limits, 9, 1000, from('198.51.100.7')), 3);
    for (let index = 0; index < 100_000; index++) {
      limits.admit(limitedRequest(from(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)), 1000);
    }
    assert.equal(passed(limits, 9, 1000, from('198.51.100.7')), 0);
  });
});
