import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRivals, rivals } from '../../../bench/contender.ts';
import { readOptions } from '../../../bench/options.ts';
import { planStages } from '../../../bench/plan.ts';
import { portico } from '../../../bench/portico.ts';
import { renderReport } from '../../../bench/report.ts';
import { type RunFacts, SampleStore } from '../../../bench/sample-store.ts';

const facts: RunFacts = {
  host: 'a machine',
  commit: 'abc1234',
  versions: { portico: 'Portico 1', nginx: '1.2.3' },
  absent: { caddy: 'not installed' },
  rounds: 3,
  seconds: 2,
  quick: false,
  long: false,
};
const contenders = [portico('node', 'main.js'), ...rivals, ...nodeRivals('node')];
const { sizes } = readOptions([], { program: 'main.js', out: 'RESULTS.md' });
const stages = planStages(contenders, sizes, false);

function report(store: SampleStore): string {
  return renderReport({ store, contenders, stages, idleConnections: 10 });
}

function addCosts(store: SampleStore, row: string, server: string, ...costs: number[]): void {
  for (const microsecondsPerUnit of costs) {
    store.add(row, server, { microsecondsPerUnit, requestsPerSecond: 1, failures: 0 });
  }
}

test('a target shows medians, the ratio with its spread, and whether it is met', () => {
  const store = new SampleStore(facts, undefined);
  addCosts(store, 'static-1k', 'portico', 10, 12, 11);
  addCosts(store, 'static-1k', 'nginx', 8, 7, 9);
  addCosts(store, 'not-modified', 'portico', 6);
  addCosts(store, 'not-modified', 'nginx', 10);
  addCosts(store, 'proxy-tcp', 'portico', 12);
  addCosts(store, 'proxy-tcp', 'nginx', 10);
  const text = report(store);
  assert.match(
    text,
    /\| static file, 1 KB \| 11\.0 \| NGINX 8\.0 \| 1\.38 \(1\.22–1\.71\) \| ≤ 0\.80 \| ≤ h2o \(–\) \| \*\*missed\*\* \|/,
  );
  assert.match(
    text,
    /\| static file, 304 \| 6\.0 \| NGINX 10\.0 \| 0\.60 \| ≤ 0\.85 \| ≤ 0\.70 \| met, and the aim \|/,
  );
  assert.match(text, /\| proxy over TCP, 128 B \| 12\.0 \| NGINX 10\.0 \| 1\.20 \| ≤ 1\.35 \| ≤ 1\.10 \| met \|/);
  assert.match(text, /\| static file, 1 KB \| 11\.0 \(10\.0–12\.0\) \| 8\.0 \(7\.0–9\.0\) \|/);
});

test('the aim to cost no more than another server is its measured ratio', () => {
  const store = new SampleStore(facts, undefined);
  addCosts(store, 'static-1k', 'portico', 6);
  addCosts(store, 'static-1k', 'nginx', 10);
  addCosts(store, 'static-1k', 'h2o', 7);
  assert.match(report(store), /NGINX 10\.0 \| 0\.60 \| ≤ 0\.80 \| ≤ h2o \(0\.70\) \| met, and the aim \|/);
});

test('a row whose rival is missing says so and stays in the table', () => {
  const store = new SampleStore(facts, undefined);
  addCosts(store, 'proxy-tcp', 'portico', 12);
  store.fail('proxy-unix', 'portico', 'expected 200, found 502');
  const text = report(store);
  assert.match(
    text,
    /\| proxy over TCP, 128 B \| 12\.0 \| Caddy – \| – \| ≤ 0\.70 \| ≤ 0\.55 \| not measured: not installed \|/,
  );
  assert.match(text, /\| proxy over a Unix socket, 128 B .* \| not measured: expected 200, found 502 \|/);
  assert.match(text, /- proxy-unix, portico: expected 200, found 502\./);
  assert.match(text, /- Caddy: not measured: not installed/);
});

test('growth, tail, pauses and memory are judged by what was measured', () => {
  const store = new SampleStore(facts, undefined);
  addCosts(store, 'static-few-connections', 'portico', 10);
  addCosts(store, 'static-many-connections', 'portico', 12);
  addCosts(store, 'static-few-connections', 'nginx', 8);
  addCosts(store, 'static-many-connections', 'nginx', 10);
  for (const [server, cost] of [
    ['portico', 15],
    ['nginx', 8],
  ] as const) {
    addCosts(store, 'one-file', server, cost);
    addCosts(store, 'many-files', server, cost * 2);
  }
  const tail = { rate: 9000, p50Ms: 0.1, p999Ms: 3, maxMs: 4, sendLagP99Ms: 0.1, failures: 0 };
  store.add('latency-static', 'portico', { ...tail, p99Ms: 2 });
  store.add('latency-static', 'nginx', { ...tail, p99Ms: 1 });
  store.add('latency-static-own', 'portico', { ...tail, p99Ms: 2 });
  store.add('latency-static-own', 'nginx', { ...tail, rate: 12_000, p99Ms: 1.6 });
  const endurance = { requests: 2e6, failures: 0, seconds: 60, collections: 9, allPausesMs: 20 };
  store.add('endurance', 'portico', {
    ...endurance,
    longestPauseMs: 4,
    earlyKilobytes: 102_400,
    lateKilobytes: 103_424,
  });
  const text = report(store);
  assert.match(
    text,
    /\| many connections ÷ 32, all active: static \| 10\.0 → 12\.0 µs; NGINX 8\.0 → 10\.0 µs, 1\.25× \| 1\.20× \| ≤ 1\.25× \| met \|/,
  );
  assert.match(text, /\| 2\.00 ÷ 2\.00 \| 1\.00× \| ≤ 1\.3× \| met \|/);
  assert.match(
    text,
    /slower one, static: Portico ÷ NGINX \| 2\.00 ms at 9000\/s ÷ 1\.00 ms at 9000\/s \| 2\.00× \| ≤ 1\.5× \| \*\*missed\*\* \|/,
  );
  assert.match(
    text,
    /its own saturation rate, static: Portico ÷ NGINX \| 2\.00 ms at 9000\/s ÷ 1\.60 ms at 12000\/s \| 1\.25× \| ≤ 1\.5× \| met \|/,
  );
  assert.match(text, /9 pauses, 20 ms together, in 60 s \| 4\.00 ms \| ≤ 5 ms \| met \|/);
  assert.match(text, /100\.0 → 101\.0 MB over 2\.0 million requests \| 1\.0 MB \| ≤ 2 MB \| met \|/);
});

test('failed requests are told of', () => {
  const store = new SampleStore(facts, undefined);
  store.add('page-view', 'nginx', { microsecondsPerUnit: 1, requestsPerSecond: 1, failures: 3 });
  assert.match(report(store), /- page-view, NGINX: 3 failed requests\./);
  assert.doesNotMatch(report(new SampleStore(facts, undefined)), /## Failures/);
});
