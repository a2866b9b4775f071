import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricDefinition } from '../../../src/metrics/definition.ts';
import { methodLabel } from '../../../src/metrics/method-label.ts';
import { metricNames } from '../../../src/metrics/names.ts';

const definitions: MetricDefinition[] = Object.values(metricNames);

test('names are unique, prefixed and legal, and counters end in _total', () => {
  assert.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length);
  for (const { name, type } of definitions) {
    assert.match(name, /^portico_[a-z][a-z0-9_]*[a-z0-9]$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.doesNotMatch(name, /_(bucket|sum|count|created|info_total)$/);
    assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb)(_|$)/, 'base units only');
  }
});

test('every metric has a help sentence, legal labels, and rising buckets where it is a histogram', () => {
  for (const { name, help, labels, type, buckets } of definitions) {
    assert.match(help, /^[A-Z].*\.$/, name);
    for (const label of labels) assert.match(label, /^[a-z][a-z_]*$/, name);
    for (const unbounded of ['path', 'host', 'address', 'client', 'le']) assert.ok(!labels.includes(unbounded), name);
    assert.equal(type === 'histogram', buckets !== undefined, name);
    assert.deepEqual(buckets, buckets === undefined ? undefined : buckets.toSorted((a, b) => a - b));
  }
});

test('methods that clients invent share one label', () => {
  assert.equal(methodLabel('PATCH'), 'PATCH');
  for (const invented of ['get', 'BREW', '', '__proto__', 'A'.repeat(1000)])
    assert.equal(methodLabel(invented), 'OTHER');
});
