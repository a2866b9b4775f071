import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheReport } from '../../../src/admin/cache-report.ts';
import { MetricAggregate } from '../../../src/metrics/aggregate.ts';
import { metricNames } from '../../../src/metrics/names.ts';

const zones = [
  { name: 'default', directory: '/var/cache', diskSize: 1000, memorySize: 100 },
  { name: 'media', directory: undefined, diskSize: 1000, memorySize: 100 },
];

test('a zone is shown with its bounds, what it holds and the share of requests that it answered', () => {
  const aggregate = new MetricAggregate();
  const { recorder } = aggregate;
  const counts = { hit: 6, stale: 1, miss: 2, expired: 1, bypass: 90 };
  for (const [result, count] of Object.entries(counts)) {
    recorder.counter(metricNames.cacheRequests, { zone: 'default', result }).add(count);
  }
  recorder.counter(metricNames.cacheStoreErrors, { zone: 'default', reason: 'full' }).add(2);
  recorder.counter(metricNames.cacheStoreErrors, { zone: 'default', reason: 'read' }).add(1);
  recorder.gauge(metricNames.cacheBytes, { zone: 'default', store: 'disk' }).set(700);
  recorder.gauge(metricNames.cacheEntries, { zone: 'default', store: 'disk' }).set(7);
  const [first, second] = cacheReport(zones, 2, (metric) => aggregate.samples(metric));
  assert.deepEqual(first, {
    name: 'default',
    directory: '/var/cache',
    disk: { bytes: 700, maxBytes: 1000, entries: 7 },
    memory: { bytes: 0, maxBytes: 200, entries: 0 },
    hitRatio: 0.7,
    requests: { hit: 6, stale: 1, revalidated: 0, expired: 1, miss: 2, bypass: 90 },
    storeErrors: 3,
    purgesPending: 0,
  });
  assert.equal(second?.hitRatio, null);
  assert.deepEqual([second?.directory, second?.disk.maxBytes], [null, 0]);
});
