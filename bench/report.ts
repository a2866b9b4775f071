import type { Contender } from './contender.ts';
import { markdownTable } from './markdown-table.ts';
import type { Case, Stage } from './plan.ts';
import type { SampleStore } from './sample-store.ts';
import { latencyRows } from './tail-latency.ts';
import { boundTargetTable, ratioTargetTable, spread, type Titles } from './target-tables.ts';
import { figure } from './targets.ts';

/** What the page is made from. */
export interface Results {
  readonly store: SampleStore;
  /** All that may have a column, installed or not. */
  readonly contenders: readonly Contender[];
  readonly stages: readonly Stage[];
  readonly idleConnections: number;
}

const cost = 'microsecondsPerUnit';

/** The results as a Markdown page: every row, also those that could not be measured. */
export function renderReport(results: Results): string {
  const { store, contenders } = results;
  const titles = titlesOf(results);
  return `# Results of the benchmark

Measured on ${store.date} by \`npm run bench\`: ${store.facts.host}.${store.facts.commit ? ` Commit ${store.facts.commit}.` : ''}

${contenders.map((one) => `- ${one.title}: ${store.facts.versions[one.name] ?? `not measured: ${store.facts.absent[one.name] ?? 'not asked for'}`}`).join('\n')}

One server process that works (one worker, one thread), one load process (\`wrk -t1 -c32\` unless said otherwise, 14 browser headers, connections kept alive),
an NGINX as the application behind. Metrics and buffering are on in Portico; the access log is off everywhere but where it says. The figure is the server's CPU time
for a request, in microseconds: from the scheduler's account (\`/proc/PID/task/*/schedstat\`) of all threads of all its processes, divided by the requests that
the load generator completed; for a page view, 21 requests together. Each figure is the median of ${plural(store.facts.rounds, 'round')} of ${store.facts.seconds} s in shuffled order, with the
lowest and the highest behind it. Compare ratios within one run only: absolute figures differ from machine to machine and by 10 to 20 % from run to run.

${noise(store)}

## Targets

${ratioTargetTable(store, titles)}

The ratio is that of the medians; behind it the lowest and highest ratio of a round.

${boundTargetTable(store)}

Why targets are missed, and what it would take, stands in
[docs/performance.md](../docs/performance.md#which-targets-are-missed-and-what-it-would-take).

## Server CPU, microseconds a request

${costTable(results, 'plain', titles)}

### Portico ÷ rival

Below 1 Portico needs less CPU.

${ratioTable(results, 'plain', titles)}

### With the access log on

A file in Combined Log Format, written in pieces by both.

${loggedTable(results)}

## More of everything

${growthTable(results)}

## Response times at a constant rate

Half of the rate at which the slower of the two is saturated, for both; then each at half of its own. Milliseconds from the moment at which a request was due, whether it could be sent then or not.

${latencyTable(store, titles)}

## Start and memory

${footprintTable(results)}

A connection is one of ${results.idleConnections} kept alive after one request each, counted in the resident memory of the serving process.
With a worker for each core Portico answers ${figure(store.median('start-all-cores', 'portico', 'startMs'), 0)} ms after its start.
${notes(results)}`;
}

function titlesOf({ stages, contenders }: Results): Titles {
  const rows = new Map(stages.flatMap((stage) => stage.cases.map((one) => [one.row, one.title])));
  for (const [name, title] of latencyRows) rows.set(name, title);
  return {
    row: (name) => rows.get(name) ?? name,
    server: (name) => contenders.find((one) => one.name === name)?.title ?? name,
  };
}

function noise({ noise }: SampleStore): string {
  return noise
    .map(
      (one) =>
        `${one.minutes.toFixed(0)} minutes; load average before the start ${one.loadAverage.toFixed(2)}; meanwhile ${one.stealPercent.toFixed(1)} % of the machine was taken by its host and ` +
        `${one.othersPercent.toFixed(1)} % used by other programs.`,
    )
    .join('\n');
}

function casesOf(results: Results, stage: string): readonly Case[] {
  return results.stages.find((one) => one.name === stage)?.cases ?? [];
}

function rowsOf(results: Results, stage: string): string[] {
  return [...new Set(casesOf(results, stage).map((one) => one.row))];
}

function costTable(results: Results, stage: string, titles: Titles): string {
  const { store, contenders } = results;
  const rows = rowsOf(results, stage).map((row) => [
    titles.row(row),
    ...contenders.map((one) => spread(store.values(row, one.name, cost))),
  ]);
  return markdownTable(['work', ...contenders.map((one) => one.title)], rows);
}

function ratioTable(results: Results, stage: string, titles: Titles): string {
  const { store } = results;
  const others = results.contenders.filter((one) => one.name !== 'portico');
  const rows = rowsOf(results, stage).map((row) => {
    const own = store.median(row, 'portico', cost);
    return [titles.row(row), ...others.map((one) => figure(own / store.median(row, one.name, cost), 2))];
  });
  return markdownTable(['work', ...others.map((one) => one.title)], rows);
}

function loggedTable(results: Results): string {
  const { store } = results;
  const titles = titlesOf(results);
  const rows = rowsOf(results, 'logged').map((row) => {
    const own = store.values(row, 'portico', cost);
    const rival = store.values(row, 'nginx', cost);
    const ratio = store.median(row, 'portico', cost) / store.median(row, 'nginx', cost);
    return [titles.row(row), spread(own), spread(rival), figure(ratio, 2)];
  });
  return markdownTable(['work', 'Portico', 'NGINX', 'Portico ÷ NGINX'], rows);
}

function growthTable(results: Results): string {
  const { store } = results;
  const titles = titlesOf(results);
  const rows = ['connections', 'routes', 'workers', 'files'].flatMap((stage) =>
    rowsOf(results, stage).map((row) => [
      titles.row(row),
      spread(store.values(row, 'portico', cost)),
      casesOf(results, stage).some((one) => one.row === row && one.contender.name === 'nginx')
        ? spread(store.values(row, 'nginx', cost))
        : '',
    ]),
  );
  return markdownTable(['CPU, microseconds', 'Portico', 'NGINX'], rows);
}

function latencyTable(store: SampleStore, titles: Titles): string {
  const rows = [...latencyRows.keys()].flatMap((name) =>
    ['portico', 'nginx'].map((server) => [
      titles.row(name),
      titles.server(server),
      figure(store.median(name, server, 'rate'), 0),
      ...['p50Ms', 'p99Ms', 'p999Ms', 'maxMs', 'sendLagP99Ms'].map((one) => figure(store.median(name, server, one), 2)),
    ]),
  );
  return markdownTable(['work', 'server', 'requests/s', 'p50', 'p99', 'p99.9', 'longest', 'sent late, p99'], rows);
}

function footprintTable(results: Results): string {
  const contenders = results.contenders.filter((one) => !one.title.includes('http-proxy'));
  const row = (title: string, name: string, digits: number, divisor = 1): string[] => [
    title,
    ...contenders.map((one) => figure(results.store.median('footprint', one.name, name) / divisor, digits)),
  ];
  return markdownTable(
    ['', ...contenders.map((one) => one.title)],
    [
      row('start to first response, ms', 'startMs', 0),
      row('idle memory of the worker, MB', 'workerKilobytes', 1, 1024),
      row('idle memory of all processes, MB', 'allKilobytes', 1, 1024),
      row('memory of an idle connection, KB', 'connectionKilobytes', 2),
    ],
  );
}

/** What went wrong is told, never hidden in a mean. */
function notes({ store, stages, contenders }: Results): string {
  const rows = [...stages.flatMap((stage) => stage.cases.map((one) => one.row)), ...latencyRows.keys(), 'endurance'];
  const failures = [...new Set(rows)].flatMap((row) =>
    contenders.flatMap((one) => {
      const sum = store.values(row, one.name, 'failures').reduce((a, b) => a + b, 0);
      return sum > 0 ? [`${row}, ${one.title}: ${plural(sum, 'failed request')}.`] : [];
    }),
  );
  const all = [...failures, ...store.problems().map((problem) => `${problem}.`)];
  return all.length === 0 ? '' : `\n## Failures\n\n${all.map((one) => `- ${one}\n`).join('')}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
