import type { MetricDefinition } from '../../src/metrics/definition.ts';
import { metricNames } from '../../src/metrics/names.ts';
import { maxSeriesPerMetric } from '../../src/metrics/series-key.ts';
import { type GeneratedDocument, generatedNotice, markdownTable } from './generated-document.ts';

const introduction = `# Metrics

The admin listener (\`admin.address\`, 127.0.0.1:9180 unless configured) answers \`/metrics\` in the Prometheus text format 0.0.4, or in OpenMetrics
1.0 where the scraper's Accept field asks for it. One scrape shows all workers of an instance together: counters and histograms are sums that
survive the worker that counted, also over reloads. Scrape configuration, alert rules and a Grafana dashboard are in
[metrics/](../metrics/README.md).

Labels are bounded: never a path, an address or a Host field as sent.`;

/** What a label's values are; every label of the table has one. */
const labelMeanings: Readonly<Record<string, string>> = {
  site: '`name` of the site, else its first host, else `default`; `none` for a request that no site takes',
  route: '`name` of the route, else its path; `none` for a request that no route takes',
  method: 'the request method; `OTHER` for those that no standard knows',
  status: 'the status of the response; 499 when the client left before one began',
  code: 'the code of the error, see [errors](errors.md)',
  upstream: 'name of the upstream',
  server: 'address of the application server: `127.0.0.1:8000`, `unix:/run/app.sock`',
  directive: 'the field by which the application directs Portico, in lower case: `x-accel-redirect`',
  coding: 'content coding: `zstd`, `br`, `gzip`',
  way: 'see the metric',
  zone: 'name of the zone of the cache (`caches.NAME`) or of the limit (`rateLimits.NAME`, `concurrencyLimits.NAME`)',
  source: 'see the metric',
  store: 'see the metric',
  kind: 'see the metric',
  worker: 'number of the slot of a worker, from 0; the successor of a dead worker has the same',
  result: 'see the metric',
  cause: 'see the metric',
  reason: 'see the metric',
  certificate: 'first name of a certificate that is had from an authority',
  names: 'names of a certificate, the first three of them',
  key: 'kind of the key of a certificate: rsa, ec, ed25519',
  resumed: 'see the metric',
  by: 'see the metric',
  place: 'see the metric',
  direction: 'see the metric',
  to: 'what the state became: `up`, `down`',
  version: 'version of Portico; of TLS for handshakes',
  node: 'version of Node.js',
  engine: 'which listener engine and build',
};

const notes = `## Notes

- A gauge is the present state of the workers that live; with a worker its part drops out.
- Durations are seconds, sizes bytes, shares from 0 to 1.
- A metric holds at most ${maxSeriesPerMetric.toLocaleString('en')} combinations of labels; whatever comes on top is counted under the label value \`other\`.
- A worker reports once a second, and when a scrape asks. What it counted since then is lost if it is killed by force (SIGKILL, out of memory).`;

/** docs/metrics.md */
export const metricsDocument: GeneratedDocument = {
  path: 'docs/metrics.md',
  render: () => {
    const definitions: MetricDefinition[] = Object.values(metricNames);
    return `${[generatedNotice, introduction, metricsTable(definitions), bucketList(definitions), labelTable(definitions), notes].join('\n\n')}\n`;
  },
};

function metricsTable(definitions: readonly MetricDefinition[]): string {
  const rows = definitions.map((definition) => [
    `\`${definition.name}\``,
    definition.type,
    definition.labels.map((label) => `\`${label}\``).join(', '),
    definition.help,
  ]);
  return `## Every metric\n\n${markdownTable(['Name', 'Type', 'Labels', 'Meaning'], rows)}`;
}

function bucketList(definitions: readonly MetricDefinition[]): string {
  const rows = definitions.flatMap(({ name, buckets }) =>
    buckets === undefined ? [] : [[`\`${name}\``, buckets.join(', ')]],
  );
  return `## Buckets\n\n${markdownTable(['Histogram', 'Upper bounds in seconds'], rows)}`;
}

function labelTable(definitions: readonly MetricDefinition[]): string {
  const labels = [...new Set(definitions.flatMap((definition) => definition.labels))];
  const rows = labels.map((label) => {
    const meaning = labelMeanings[label];
    if (meaning === undefined) throw new Error(`the label ${label} has no meaning in scripts/docs/metrics.ts`);
    return [`\`${label}\``, meaning];
  });
  return `## Labels\n\n${markdownTable(['Label', 'Value'], rows)}`;
}
