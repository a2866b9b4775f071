import type { Contender } from './contender.ts';
import type { Footprint } from './footprint.ts';
import type { Measurement } from './measurement.ts';
import { median } from './statistics.ts';
import type { Work } from './work.ts';

/** Everything that was measured in one run. */
export interface Results {
  readonly host: string;
  readonly date: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly contenders: readonly Contender[];
  readonly versions: ReadonlyMap<string, string>;
  readonly works: readonly Work[];
  /** By work, then by contender: a measurement for each round. */
  readonly measurements: ReadonlyMap<string, ReadonlyMap<string, readonly Measurement[]>>;
  readonly footprints: ReadonlyMap<string, Footprint>;
  /** Start-up time of Portico with a worker for each core. */
  readonly startAllCoresMs: number | undefined;
  readonly idleConnections: number;
}

const none = '–';

/** The results as a Markdown page. */
export function renderReport(results: Results): string {
  return `# Results of the benchmark

Measured on ${results.date} by \`npm run bench\`: ${results.host}.

${results.contenders.map((one) => `- ${one.title}: ${results.versions.get(one.name) ?? none}`).join('\n')}

One server process that works (one worker, one thread), one load process (\`wrk -t1 -c32\`, 14 browser headers), an NGINX as the
application behind. No access log anywhere; metrics on in Portico. Each figure is the median of ${plural(results.rounds, 'round')} of ${results.seconds} s in
shuffled order, with the lowest and the highest behind it. Compare ratios within one run only: absolute figures differ from machine to machine
and by 10 to 20 % from run to run.

## Server CPU, microseconds a request

From the scheduler's account (\`/proc/PID/task/*/schedstat\`) of all threads of all processes of the server, before and after, divided by the
requests that wrk completed. Smaller is better.

${costTable(results)}
${failureNotes(results)}
## Portico ÷ rival

Below 1 Portico needs less CPU.

${ratioTable(results)}

## Start and memory

${footprintTable(results)}

A connection is one of ${results.idleConnections} kept alive after one request each, counted in the resident memory of the serving process.
${results.startAllCoresMs === undefined ? '' : `With a worker for each core Portico answers ${results.startAllCoresMs.toFixed(0)} ms after its start.\n`}`;
}

function costTable(results: Results): string {
  const rows = results.works.map((work) => [
    work.title,
    ...results.contenders.map((one) => spread(costs(results, work, one))),
  ]);
  return table(['work', ...results.contenders.map((one) => one.title)], rows);
}

function ratioTable(results: Results): string {
  const portico = results.contenders.find((one) => one.name === 'portico');
  const others = results.contenders.filter((one) => one.name !== 'portico');
  if (!portico || others.length === 0) return 'Needs Portico and a rival in the same run.';
  const rows = results.works.map((work) => {
    const own = median(costs(results, work, portico));
    return [work.title, ...others.map((one) => figure(own / median(costs(results, work, one)), 2))];
  });
  return table(['work', ...others.map((one) => one.title)], rows);
}

function footprintTable(results: Results): string {
  const row = (title: string, valueOf: (footprint: Footprint) => string): string[] => [
    title,
    ...results.contenders.map((one) => {
      const footprint = results.footprints.get(one.name);
      return footprint ? valueOf(footprint) : none;
    }),
  ];
  return table(
    ['', ...results.contenders.map((one) => one.title)],
    [
      row('start to first response, ms', (footprint) => figure(footprint.startMs, 0)),
      row('idle memory of the worker, MB', (footprint) => figure(footprint.workerKilobytes / 1024, 1)),
      row('idle memory of all processes, MB', (footprint) => figure(footprint.allKilobytes / 1024, 1)),
      row('memory of an idle connection, KB', ({ connectionKilobytes }) => figure(connectionKilobytes, 2)),
    ],
  );
}

/** A measurement with failed requests is told, never hidden in a mean. */
function failureNotes(results: Results): string {
  const notes: string[] = [];
  for (const work of results.works) {
    for (const contender of results.contenders) {
      const failures = measured(results, work, contender).reduce((sum, one) => sum + one.failures, 0);
      if (failures > 0) notes.push(`${contender.title}, ${work.title}: ${plural(failures, 'failed request')}.`);
    }
  }
  return notes.length === 0 ? '' : `\n${notes.join('\n')}\n`;
}

function measured(results: Results, work: Work, contender: Contender): readonly Measurement[] {
  return results.measurements.get(work.name)?.get(contender.name) ?? [];
}

function costs(results: Results, work: Work, contender: Contender): number[] {
  return measured(results, work, contender).map((one) => one.microsecondsPerRequest);
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return none;
  const middle = median(values);
  const digits = middle < 100 ? 1 : 0;
  if (values.length === 1) return figure(middle, digits);
  return `${figure(middle, digits)} (${figure(Math.min(...values), digits)}–${figure(Math.max(...values), digits)})`;
}

function figure(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? none : value.toFixed(digits);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
