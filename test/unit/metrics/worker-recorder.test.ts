import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MetricDefinition } from '../../../src/metrics/definition.ts';
import { WorkerRecorder } from '../../../src/metrics/worker-recorder.ts';

const requests: MetricDefinition<'site' | 'status'> = {
  name: 'requests_total',
  type: 'counter',
  help: 'Requests.',
  labels: ['site', 'status'],
};
const open: MetricDefinition = { name: 'open', type: 'gauge', help: 'Open.', labels: [] };
const seconds: MetricDefinition = { name: 'seconds', type: 'histogram', help: 'Time.', labels: [], buckets: [0.1, 1] };

test('the same labels give the same child, whatever the order they are written in', () => {
  const recorder = new WorkerRecorder();
  const child = recorder.counter(requests, { site: 'a', status: '200' });
  assert.equal(recorder.counter(requests, { status: '200', site: 'a' }), child);
  assert.notEqual(recorder.counter(requests, { site: 'a', status: '404' }), child);
});

test('labels that look the same when joined are different children', () => {
  const recorder = new WorkerRecorder();
  const one = recorder.counter(requests, { site: 'a:1', status: 'b' });
  const other = recorder.counter(requests, { site: 'a', status: ':1b' });
  assert.notEqual(one, other);
});

test('a report names new children once and holds only what changed', () => {
  const recorder = new WorkerRecorder();
  const ok = recorder.counter(requests, { site: 'a', status: '200' });
  const missing = recorder.counter(requests, { site: 'a', status: '404' });
  ok.add(2);
  ok.add(3);
  assert.deepEqual(recorder.collect(), {
    added: [
      { id: 0, name: 'requests_total', labels: ['a', '200'] },
      { id: 1, name: 'requests_total', labels: ['a', '404'] },
    ],
    values: [0, 5],
  });
  missing.add(1);
  assert.deepEqual(recorder.collect(), { added: [], values: [1, 1] });
  assert.deepEqual(recorder.collect(), { added: [], values: [] });
});

test('a gauge is reported by its value when that changed, its first 0 included', () => {
  const recorder = new WorkerRecorder();
  const gauge = recorder.gauge(open, {});
  assert.deepEqual(recorder.collect().values, [0, 0]);
  gauge.add(3);
  gauge.add(-1);
  assert.deepEqual(recorder.collect().values, [0, 2]);
  gauge.set(2);
  assert.deepEqual(recorder.collect().values, []);
});

test('a gauge set to NaN is withdrawn once, and counts from 0 when it comes back', () => {
  const recorder = new WorkerRecorder();
  const gauge = recorder.gauge(open, {});
  gauge.set(7);
  recorder.collect();
  gauge.set(Number.NaN);
  assert.deepEqual(recorder.collect().values, [0, Number.NaN]);
  assert.deepEqual(recorder.collect().values, []);
  gauge.add(1);
  assert.deepEqual(recorder.collect().values, [0, 1]);
});

test('a histogram counts into the first bucket whose bound is not below the value', () => {
  const recorder = new WorkerRecorder();
  const histogram = recorder.histogram(seconds, {});
  for (const value of [0.1, 0.11, 1, 5]) histogram.observe(value);
  const { added, values } = recorder.collect();
  assert.deepEqual(
    added.map(({ id, bucket }) => [id, bucket]),
    [
      [0, -1],
      [1, 0],
      [2, 1],
      [3, 2],
    ],
  );
  assert.deepEqual(values, [0, 0.1 + 0.11 + 1 + 5, 1, 1, 2, 2, 3, 1]);
});

test('beyond the bound children fold into one labelled other', () => {
  const recorder = new WorkerRecorder({ maxSeries: 2 });
  for (let site = 0; site < 50; site += 1) recorder.counter(requests, { site: `${site}`, status: '200' }).add(1);
  const { added, values } = recorder.collect();
  assert.deepEqual(
    added.map(({ labels }) => labels),
    [
      ['0', '200'],
      ['1', '200'],
      ['other', 'other'],
    ],
  );
  assert.deepEqual(values, [0, 1, 1, 1, 2, 48]);
});

test('a slip such as NaN costs one interval of a counter, not the counter', () => {
  const recorder = new WorkerRecorder();
  const child = recorder.counter(requests, { site: 'a', status: '200' });
  child.add(Number.NaN);
  assert.deepEqual(recorder.collect().values, []);
  child.add(4);
  assert.deepEqual(recorder.collect().values, [0, 4]);
});

test('children keep counting right while the store grows under them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(700), fc.integer({ min: 1, max: 9 })), { maxLength: 300 }), (additions) => {
      const recorder = new WorkerRecorder();
      const expected = new Map<string, number>();
      for (const [site, amount] of additions) {
        recorder.counter(requests, { site: `${site}`, status: 's' }).add(amount);
        // Fills the store, so that it grows between two additions.
        recorder.counter(requests, { site: `${site}`, status: 'unused' });
        expected.set(`${site}`, (expected.get(`${site}`) ?? 0) + amount);
      }
      const { added, values } = recorder.collect();
      const sums = new Map<string, number>();
      for (let index = 0; index < values.length; index += 2) {
        sums.set(added[values[index] as number]?.labels[0] as string, values[index + 1] as number);
      }
      assert.deepEqual(
        sums,
        new Map([...expected].toSorted((a, b) => [...sums.keys()].indexOf(a[0]) - [...sums.keys()].indexOf(b[0]))),
      );
    }),
  );
});
