import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricAggregate } from '../../../src/metrics/aggregate.ts';
import type { MetricDelta } from '../../../src/metrics/delta.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { WorkerRecorder } from '../../../src/metrics/worker-recorder.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const labels = { site: 'shop', route: '/', method: 'GET', status: '200' };

/** The samples of a text exposition: `name{labels}` to value. */
async function samples(aggregate: MetricAggregate): Promise<Map<string, number>> {
  const { body } = await aggregate.render(undefined);
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

const requestSeries = 'portico_http_requests_total{site="shop",route="/",method="GET",status="200"}';
const upSeries = 'portico_upstream_up{upstream="app",server="a:1"}';

test('reports of several workers add up', async () => {
  const aggregate = new MetricAggregate();
  for (const key of [1, 2]) {
    const worker = new WorkerRecorder();
    worker.counter(metricNames.httpRequests, labels).add(key * 10);
    aggregate.apply(key, worker.collect());
    worker.counter(metricNames.httpRequests, labels).add(1);
    aggregate.apply(key, worker.collect());
  }
  assert.equal((await samples(aggregate)).get(requestSeries), 32);
});

test('a dead worker leaves its counts and takes its gauges with it', async () => {
  const aggregate = new MetricAggregate();
  for (const key of [1, 2]) {
    const worker = new WorkerRecorder();
    worker.counter(metricNames.httpRequests, labels).add(5);
    worker.gauge(metricNames.connections, {}).set(100);
    worker.gauge(metricNames.workerMemory, { worker: `${key}` }).set(1000);
    worker.histogram(metricNames.httpRequestDuration, { site: 'shop', route: '/' }).observe(0.2);
    aggregate.apply(key, worker.collect());
  }
  aggregate.forget(1);
  const after = await samples(aggregate);
  assert.equal(after.get(requestSeries), 10);
  assert.equal(after.get('portico_connections_open'), 100);
  assert.equal(after.has('portico_worker_resident_memory_bytes{worker="1"}'), false);
  assert.equal(after.get('portico_worker_resident_memory_bytes{worker="2"}'), 1000);
  assert.equal(after.get('portico_http_request_duration_seconds_count{site="shop",route="/"}'), 2);
  aggregate.forget(2);
  assert.equal((await samples(aggregate)).get('portico_connections_open'), 0);
});

test('a report that arrives after the end of its worker counts, but brings no gauge back', async () => {
  const aggregate = new MetricAggregate();
  const worker = new WorkerRecorder();
  const counter = worker.counter(metricNames.httpRequests, labels);
  const gauge = worker.gauge(metricNames.connections, {});
  aggregate.apply(1, worker.collect());
  counter.add(3);
  gauge.set(9);
  aggregate.forget(1);
  aggregate.apply(1, worker.collect());
  const after = await samples(aggregate);
  assert.equal(after.get(requestSeries), 3);
  assert.equal(after.get('portico_connections_open'), 0);
});

test('sums never go back, whatever a worker says', async () => {
  const aggregate = new MetricAggregate();
  const added = [{ id: 0, name: 'portico_http_requests_total', labels: ['shop', '/', 'GET', '200'] }];
  aggregate.apply(1, { added, values: [0, 7] });
  for (const value of [-3, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    aggregate.apply(1, { added: [], values: [0, value] });
  }
  assert.equal((await samples(aggregate)).get(requestSeries), 7);
});

test('upstream_up is the share of workers that see the server up', async () => {
  const aggregate = new MetricAggregate();
  for (const [key, up] of [
    [1, 1],
    [2, 0],
    [3, 1],
    [4, 1],
  ] as const) {
    const worker = new WorkerRecorder();
    worker.gauge(metricNames.upstreamUp, { upstream: 'app', server: 'a:1' }).set(up);
    aggregate.apply(key, worker.collect());
  }
  assert.equal((await samples(aggregate)).get(upSeries), 0.75);
  aggregate.forget(2);
  assert.equal((await samples(aggregate)).get(upSeries), 1);
});

test('a series that every worker withdrew is gone, also when NaN crossed as null', async () => {
  const aggregate = new MetricAggregate();
  const worker = new WorkerRecorder();
  const up = worker.gauge(metricNames.upstreamUp, { upstream: 'app', server: 'a:1' });
  up.set(1);
  aggregate.apply(1, worker.collect());
  assert.equal((await samples(aggregate)).get(upSeries), 1);
  up.set(Number.NaN);
  aggregate.apply(1, JSON.parse(JSON.stringify(worker.collect())) as MetricDelta);
  assert.equal((await samples(aggregate)).has(upSeries), false);
});

test('buckets are cumulated and count and sum agree with them', async () => {
  const aggregate = new MetricAggregate();
  const worker = new WorkerRecorder();
  const connect = worker.histogram(metricNames.upstreamConnect, { upstream: 'app' });
  for (const value of [0.0001, 0.0005, 0.3, 99]) connect.observe(value);
  aggregate.apply(1, worker.collect());
  const after = await samples(aggregate);
  const bucket = (le: string) => after.get(`portico_upstream_connect_seconds_bucket{upstream="app",le="${le}"}`);
  assert.deepEqual([bucket('0.0005'), bucket('0.25'), bucket('0.5'), bucket('5'), bucket('+Inf')], [2, 2, 3, 3, 4]);
  assert.equal(after.get('portico_upstream_connect_seconds_count{upstream="app"}'), 4);
  assert.equal(after.get('portico_upstream_connect_seconds_sum{upstream="app"}'), 0.0001 + 0.0005 + 0.3 + 99);
});

test('a metric or form that is not known is ignored and complained of once', async () => {
  const logger = new RecordingLogger();
  const aggregate = new MetricAggregate({ logger });
  const added = [
    { id: 0, name: 'portico_from_the_future_total', labels: [] },
    { id: 1, name: 'portico_http_requests_total', labels: ['too', 'few'] },
    { id: 2, name: 'portico_upstream_connect_seconds', labels: ['app'], bucket: 99 },
    { id: 3, name: 'portico_worker_restarts_total', labels: [], bucket: 0 },
    { id: 4, name: 'portico_http_requests_total', labels: ['shop', '/', 'GET', '200'] },
  ];
  const delta = { added, values: [0, 1, 1, 1, 2, 1, 3, 1, 4, 6, 77, 1, 5] };
  aggregate.apply(1, delta);
  aggregate.apply(2, delta);
  assert.equal((await samples(aggregate)).get(requestSeries), 12);
  assert.deepEqual(
    logger.entries.map(({ fields }) => fields),
    added.slice(0, 4).map(({ name }) => ({ metric: name })),
  );
});

test("the primary's own numbers stand beside the workers'", async () => {
  const aggregate = new MetricAggregate();
  aggregate.recorder.counter(metricNames.workerRestarts, {}).add(2);
  aggregate.recorder.gauge(metricNames.workers, {}).set(4);
  const after = await samples(aggregate);
  assert.equal(after.get('portico_worker_restarts_total'), 2);
  assert.equal(after.get('portico_workers'), 4);
  assert.equal((await samples(aggregate)).get('portico_worker_restarts_total'), 2);
});

test('report age is that of the living worker heard from longest ago', async () => {
  let now = 0;
  const aggregate = new MetricAggregate({ now: () => now });
  aggregate.apply(1, { added: [], values: [] });
  now = 4000;
  aggregate.apply(2, { added: [], values: [] });
  now = 5000;
  assert.equal((await samples(aggregate)).get('portico_worker_report_age_seconds'), 5);
  aggregate.forget(1);
  assert.equal((await samples(aggregate)).get('portico_worker_report_age_seconds'), 1);
});

test('series beyond the bound of the primary fold into one labelled other', async () => {
  const aggregate = new MetricAggregate();
  for (let key = 0; key < 3; key += 1) {
    const worker = new WorkerRecorder({ maxSeries: 5000 });
    for (let index = 0; index < 5000; index += 1) {
      worker.counter(metricNames.upstreamRetries, { upstream: `${key}-${index}` }).add(1);
    }
    aggregate.apply(key, worker.collect());
  }
  const after = [...(await samples(aggregate))].filter(([name]) => name.startsWith('portico_upstream_retries_total'));
  assert.ok(after.length <= 10_001);
  assert.equal(
    after.reduce((sum, [, value]) => sum + value, 0),
    15_000,
  );
  assert.ok((after.find(([name]) => name.includes('"other"'))?.[1] ?? 0) > 4000);
});

test('a worker that ran out of series is told of once', () => {
  const logger = new RecordingLogger();
  const aggregate = new MetricAggregate({ logger });
  for (const key of [1, 2]) {
    const worker = new WorkerRecorder({ maxSeries: 2 });
    for (const upstream of ['a', 'b', 'c', 'd']) worker.counter(metricNames.upstreamRetries, { upstream }).add(1);
    aggregate.apply(key, worker.collect());
  }
  assert.deepEqual(
    logger.entries.map(({ fields }) => fields),
    [{ metric: 'portico_upstream_retries_total' }],
  );
});
