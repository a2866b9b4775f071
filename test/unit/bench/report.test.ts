import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portico, rivals } from '../../../bench/contender.ts';
import { readReport } from '../../../bench/load-generator.ts';
import type { Measurement } from '../../../bench/measurement.ts';
import { readOptions } from '../../../bench/options.ts';
import { renderReport } from '../../../bench/report.ts';
import { median, shuffled } from '../../../bench/statistics.ts';
import { works } from '../../../bench/work.ts';

const defaults = { program: 'dist/main.js', out: 'RESULTS.md' };

test('the median of an odd number of values is the middle one, of an even number the mean of two', () => {
  assert.equal(median([30, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 30]), 3);
  assert.ok(Number.isNaN(median([])));
});

test('shuffling keeps every value and follows the random numbers', () => {
  const keys = [0.9, 0.1, 0.5];
  assert.deepEqual(
    shuffled(['a', 'b', 'c'], () => keys.shift() ?? 0),
    ['b', 'c', 'a'],
  );
});

test('the report of wrk is read with every kind of failure', () => {
  const text = `  2 threads
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
  1234 requests in 4.00s, 1.00MB read
Requests/sec:    308.50
`;
  assert.deepEqual(readReport(text), { requests: 1234, requestsPerSecond: 308.5, failures: 15 });
  assert.throws(() => readReport('unable to connect'), /wrk gave no report/);
});

test('an option with a value that is no number is refused', () => {
  assert.throws(() => readOptions(['--rounds', 'many'], defaults), /--rounds is "many"; expected a whole number/);
  assert.equal(readOptions(['--quick'], defaults).out, undefined, 'the short form overwrites no results');
});

test('the report has the medians, the spread, the ratios and the failures', () => {
  const of = (...values: number[]): Measurement[] =>
    values.map((microsecondsPerRequest, index) => ({ microsecondsPerRequest, requestsPerSecond: 1, failures: index }));
  const [work] = works;
  const [nginx] = rivals;
  assert.ok(work && nginx);
  const report = renderReport({
    host: 'a machine',
    date: '2026-01-01',
    rounds: 3,
    seconds: 4,
    contenders: [portico('node', 'main.js'), nginx],
    versions: new Map([['nginx', '1.2.3']]),
    works: [work],
    measurements: new Map([
      [
        work.name,
        new Map([
          ['portico', of(10, 12, 11)],
          ['nginx', of(8, 7, 9)],
        ]),
      ],
    ]),
    footprints: new Map(),
    startAllCoresMs: 123.4,
    idleConnections: 10,
  });
  assert.match(report, /\| static file, 1 KB \| 11\.0 \(10\.0–12\.0\) \| 8\.0 \(7\.0–9\.0\) \|/);
  assert.match(report, /\| work \| NGINX \|\n\|---\|---\|\n\| static file, 1 KB \| 1\.38 \|/);
  assert.match(report, /Portico, static file, 1 KB: 3 failed requests\./);
  assert.match(report, /answers 123 ms after its start/);
});
