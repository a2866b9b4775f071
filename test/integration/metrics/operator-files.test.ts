import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { metricsDocument } from '../../../scripts/docs/metrics.ts';
import type { MetricDefinition } from '../../../src/metrics/definition.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { ensureDebianPackage } from '../../support/debian-package.ts';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const definitions = new Map<string, MetricDefinition>(Object.values(metricNames).map((one) => [one.name, one]));
const noPromtool = ensureDebianPackage('prometheus', '/usr/bin/promtool') ?? false;

interface Query {
  readonly where: string;
  readonly expression: string;
}

function read(path: string): string {
  return readFileSync(join(top, path), 'utf8');
}

function dashboardQueries(): Query[] {
  const dashboard = JSON.parse(read('metrics/dashboard.json'));
  const panels: Query[] = dashboard.panels.flatMap((panel: { title: string; targets?: { expr: string }[] }) =>
    (panel.targets ?? []).map(({ expr }) => ({ where: panel.title, expression: expr })),
  );
  const variables: Query[] = dashboard.templating.list
    .filter(({ type }: { type: string }) => type === 'query')
    .map(({ name, definition }: { name: string; definition: string }) => ({ where: name, expression: definition }));
  const annotations = dashboard.annotations.list.map((one: { name: string; expr: string }) => ({
    where: one.name,
    expression: one.expr,
  }));
  return [...panels, ...variables, ...annotations];
}

function alertRules(): { alert: string; expr: string; annotations: Record<string, string> }[] {
  return parse(read('metrics/alerts.yml')).groups.flatMap(({ rules }: { rules: unknown[] }) => rules);
}

/** The metric that a series name belongs to, with the labels that its series have. */
function seriesLabels(name: string): readonly string[] | undefined {
  const plain = definitions.get(name);
  if (plain !== undefined) return plain.type === 'histogram' ? undefined : plain.labels;
  const [, base = '', suffix] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? [];
  const histogram = definitions.get(base);
  if (histogram?.type !== 'histogram') return undefined;
  return suffix === 'bucket' ? [...histogram.labels, 'le'] : histogram.labels;
}

/** Fails on a metric that does not exist, or a label that it does not have. */
function checkQuery({ where, expression }: Query): void {
  const known = new Set(['job', 'instance']);
  for (const [, name = '', selector = ''] of expression.matchAll(/\b(portico_\w+)(?:\{([^}]*)\})?/g)) {
    const labels = seriesLabels(name);
    assert.ok(labels, `${where}: there is no series ${name}`);
    for (const label of labels) known.add(label);
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)) {
      assert.ok(['job', 'instance', ...labels].includes(label), `${where}: ${name} has no label ${label}`);
    }
  }
  for (const [, list = ''] of expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)) {
    for (const label of list.split(',').map((text) => text.trim())) {
      assert.ok(known.has(label), `${where}: no metric in it has the label ${label}`);
    }
  }
  for (const [, name = '', label = ''] of expression.matchAll(/label_values\((\w+), (\w+)\)/g)) {
    assert.ok(['instance', ...(seriesLabels(name) ?? [])].includes(label), `${where}: ${name} has no label ${label}`);
  }
}

test('every query of the dashboard names metrics and labels that exist', () => {
  const queries = dashboardQueries();
  assert.ok(queries.length > 40);
  for (const query of queries) checkQuery(query);
});

test('every alert names metrics and labels that exist', () => {
  for (const { alert, expr } of alertRules()) checkQuery({ where: alert, expression: expr });
});

test('the check itself finds a metric or label that does not exist', () => {
  for (const expression of [
    'portico_nonsense_total',
    'portico_http_request_duration_seconds',
    'portico_http_requests_total_bucket',
    'portico_http_requests_total{host="a"}',
    'sum by (server) (portico_http_requests_total)',
    'label_values(portico_http_requests_total, server)',
  ]) {
    assert.throws(() => checkQuery({ where: 'x', expression }), assert.AssertionError, expression);
  }
});

test('every metric is on the dashboard', () => {
  const text = dashboardQueries()
    .map(({ expression }) => expression)
    .join('\n');
  for (const name of definitions.keys()) assert.ok(text.includes(name), `${name} is not on the dashboard`);
});

test('every alert has a test that fires it and one moment at which it does not', () => {
  const cases = parse(read('metrics/alerts.test.yml')).tests.flatMap(
    (one: { alert_rule_test: unknown[] }) => one.alert_rule_test,
  ) as { alertname: string; exp_alerts: unknown[] }[];
  for (const { alert } of alertRules()) {
    const own = cases.filter(({ alertname }) => alertname === alert);
    assert.ok(
      own.some(({ exp_alerts: alerts }) => alerts.length > 0),
      `${alert} is never fired`,
    );
    assert.ok(
      own.some(({ exp_alerts: alerts }) => alerts.length === 0),
      `${alert} is never silent`,
    );
  }
});

test('docs/metrics.md is what the code says', () => {
  assert.equal(read('docs/metrics.md'), metricsDocument.render());
  for (const name of definitions.keys()) assert.ok(read('docs/metrics.md').includes(`\`${name}\``));
});

test('every metric named in prose exists', () => {
  for (const path of ['metrics/README.md', 'docs/metrics.md']) checkNames(path, read(path));
  for (const { alert, annotations } of alertRules()) checkNames(alert, Object.values(annotations).join(' '));
});

function checkNames(where: string, text: string): void {
  for (const [name] of text.matchAll(/\bportico_\w+/g)) {
    assert.ok(definitions.has(name) || seriesLabels(name) !== undefined, `${where}: there is no ${name}`);
  }
}

test('promtool takes configuration and rules, and every alert test passes', { skip: noPromtool }, () => {
  for (const args of [
    ['check', 'config', 'metrics/prometheus.yml'],
    ['check', 'rules', 'metrics/alerts.yml'],
    ['test', 'rules', 'metrics/alerts.test.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: top, encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  }
});

test('every query of the dashboard is valid', { skip: noPromtool }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-dashboard-'));
  try {
    const rules = dashboardQueries()
      .filter(({ expression }) => !expression.startsWith('label_values'))
      .map(({ expression }, index) => ({
        record: `query:${index}`,
        expr: expression.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'),
      }));
    const file = join(folder, 'rules.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
