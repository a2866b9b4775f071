import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { MetricAggregate } from '../../../src/metrics/aggregate.ts';
import { prefersOpenMetrics } from '../../../src/metrics/exposition.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { ensureDebianPackage } from '../../support/debian-package.ts';

const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

function filled(): MetricAggregate {
  const aggregate = new MetricAggregate();
  const { recorder } = aggregate;
  recorder.counter(metricNames.upstreamRetries, { upstream: 'a"b\\c\nd' }).add(3);
  recorder.histogram(metricNames.upstreamConnect, { upstream: 'app' }).observe(0.002);
  recorder.gauge(metricNames.workers, {}).set(2);
  return aggregate;
}

test('the text format is the default, with escaped label values', async () => {
  const { contentType, body } = await filled().render(undefined);
  assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(body, /^# TYPE portico_upstream_retries_total counter$/m);
  assert.match(body, /^portico_upstream_retries_total\{upstream="a\\"b\\\\c\\nd"\} 3$/m);
  assert.match(body, /^# TYPE portico_upstream_connect_seconds histogram$/m);
  assert.match(body, /^portico_upstream_connect_seconds_bucket\{upstream="app",le="\+Inf"\} 1$/m);
});

test('OpenMetrics names a counter without its suffix and ends with EOF, and the text format is unharmed by it', async () => {
  const aggregate = filled();
  const { contentType, body } = await aggregate.render(openMetrics);
  assert.equal(contentType, openMetrics);
  assert.match(body, /^# TYPE portico_upstream_retries counter$/m);
  assert.match(body, /^portico_upstream_retries_total\{upstream="a\\"b\\\\c\\nd"\} 3$/m);
  assert.ok(body.endsWith('\n# EOF\n'));
  assert.ok(!body.includes('\n\n'));
  const text = await aggregate.render(undefined);
  assert.match(text.body, /^# TYPE portico_upstream_retries_total counter$/m);
});

test('scrapes at the same time share one rendering', async () => {
  const aggregate = filled();
  const [one, other] = await Promise.all([aggregate.render(undefined), aggregate.render('*/*')]);
  assert.equal(one, other);
});

const accepts: [string | undefined, boolean][] = [
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/html', false],
  ['application/openmetrics-text', true],
  [openMetrics, true],
  ['application/openmetrics-text;version=0.0.1', false],
  ['application/openmetrics-text; version=1.0.0; q=0.4, text/plain; q=0.5', false],
  ['application/openmetrics-text; q=0', false],
  ['application/openmetrics-text; q=x', false],
  // What Prometheus 2.42 and 3 send.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    true,
  ],
  ['text/plain;version=0.0.4;q=0.6,*/*;q=0.1', false],
  [`${'a/b,'.repeat(100_000)}${openMetrics}`, false],
];
for (const [accept, expected] of accepts) {
  test(`${expected ? 'OpenMetrics' : 'text'} is sent for Accept: ${accept?.slice(0, 80)}`, () => {
    assert.equal(prefersOpenMetrics(accept), expected);
  });
}

const noPromtool = ensureDebianPackage('prometheus', '/usr/bin/promtool') ?? false;

test('promtool finds nothing wrong with the text format', { skip: noPromtool }, async () => {
  const { body } = await filled().render(undefined);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
  assert.equal(status, 0, stderr + stdout);
});
