import { cpus } from 'node:os';
import { type Incident, workerKill } from './chaos.ts';
import type { Failure, Load } from './load.ts';
import { median, type Trend } from './samples.ts';

/** Everything that is known after a run. */
export interface SoakResult {
  readonly seconds: number;
  readonly seed: number;
  readonly engine: string;
  readonly queuesMigrate: boolean;
  readonly load: Pick<
    Load,
    'answered' | 'bytes' | 'wrongBodies' | 'failed' | 'failures' | 'answeredByKind' | 'durations'
  >;
  readonly incidents: readonly Incident[];
  readonly rss: Trend;
  readonly descriptors: Trend;
  readonly samples: number;
  /** Workers that died and were replaced, as Portico counted them. */
  readonly workerDeaths: number;
}

/** Which failures there were, and why the run has failed if it has. */
export interface Verdict {
  readonly passed: boolean;
  readonly reasons: readonly string[];
  /** Requests that count: nothing explains them away. */
  readonly failures: readonly Failure[];
  /** In flight in the worker that was killed. */
  readonly lostWithWorker: readonly Failure[];
  /** Reset while the connection was opened, and tried again. */
  readonly resets: readonly Failure[];
}

const megabyte = 1024 ** 2;
/** A death is noticed by the client at once; this much is for a busy machine. */
const killWindowMs = 2000;
/** How much more the median of the last third may be than that of the first, in parts and absolute. */
const rssGrowth = { part: 0.15, absolute: 15 * megabyte };
/** In a short run heap and caches are still on their way to their size. */
const rssGrowthOfShortRun = { part: 0.15, absolute: 60 * megabyte };
const shortRunSeconds = 300;
const descriptorGrowth = { part: 0.2, absolute: 10 };

export function judge(result: SoakResult): Verdict {
  const kills = result.incidents.filter(({ what }) => what === workerKill).map(({ beganMs }) => beganMs);
  const withWorker = ({ startedMs, atMs, reason }: Failure): boolean =>
    kills.some((kill) => startedMs <= kill + killWindowMs && atMs >= kill && atMs <= kill + killWindowMs) &&
    /hang up|ECONNRESET|aborted/.test(reason);
  const resets = result.load.failures.filter(({ connecting }) => connecting);
  const others = result.load.failures.filter(({ connecting }) => !connecting);
  const lostWithWorker = others.filter(withWorker);
  const failures = others.filter((failure) => !withWorker(failure));
  const reasons: string[] = [];
  if (failures.length > 0) reasons.push(`${failures.length} requests failed`);
  if (result.load.failed > result.load.failures.length)
    reasons.push('more requests failed than were kept for the report');
  if (result.load.wrongBodies > 0) reasons.push(`${result.load.wrongBodies} bodies were wrong`);
  if (result.load.answered === 0) reasons.push('nothing was answered');
  for (const { what, error } of result.incidents) if (error !== undefined) reasons.push(`${what}: ${error}`);
  if (result.workerDeaths !== kills.length)
    reasons.push(`${result.workerDeaths} workers died, ${kills.length} were killed`);
  const rssAllowed = result.seconds < shortRunSeconds ? rssGrowthOfShortRun : rssGrowth;
  if (grows(result.rss, rssAllowed)) reasons.push('resident memory grows');
  if (grows(result.descriptors, descriptorGrowth)) reasons.push('file descriptors grow');
  return { passed: reasons.length === 0, reasons, failures, lostWithWorker, resets };
}

function grows({ first, last }: Trend, allowed: { part: number; absolute: number }): boolean {
  return last > first + Math.max(allowed.absolute, first * allowed.part);
}

export function renderReport(result: SoakResult, verdict: Verdict, date: string): string {
  const { load, incidents, rss, descriptors } = result;
  const inMegabytes = (bytes: number): string => `${(bytes / megabyte).toFixed(0)} MB`;
  const p99 = load.durations.toSorted((a, b) => a - b)[Math.floor(load.durations.length * 0.99)] ?? 0;
  return `# Result of the soak

${date}, \`npm run soak -- --minutes ${result.seconds / 60} --seed ${result.seed}\`: ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Node.js ${process.versions.node},
${result.engine}; two workers of Portico, two Gunicorns with two sync workers each, load generator on the same machine; net.ipv4.tcp_migrate_req ${result.queuesMigrate ? 'on' : 'off'}.

**${verdict.passed ? 'Passed' : `Failed: ${verdict.reasons.join('; ')}`}.**

| | |
|---|---|
| requests answered, each compared byte for byte | ${load.answered} (${(load.answered / result.seconds).toFixed(0)} a second, ${inMegabytes(load.bytes)}) |
| failed requests | ${verdict.failures.length} |
| wrong bodies | ${load.wrongBodies} |
| lost with the worker that was killed | ${verdict.lostWithWorker.length} |
| connections that the kernel reset while they were opened (nothing sent; tried again) | ${verdict.resets.length} |
| time to the last byte: median, 99 % | ${median(load.durations).toFixed(0)} ms, ${p99.toFixed(0)} ms |
| resident memory of a worker: median of the first third, of the last, highest | ${inMegabytes(rss.first)}, ${inMegabytes(rss.last)}, ${inMegabytes(rss.highest)} |
| file descriptors of a worker: the same | ${descriptors.first}, ${descriptors.last}, ${descriptors.highest} |
| samples | ${result.samples} |

Requests by kind: ${[...load.answeredByKind].map(([kind, count]) => `${kind} ${count}`).join('; ')}.

## What happened meanwhile

| at | what | took |
|---|---|---|
${incidents.map(({ beganMs, endedMs, what, error }) => `| ${(beganMs / 1000).toFixed(1)} s | ${what}${error === undefined ? '' : `: **${error}**`} | ${((endedMs - beganMs) / 1000).toFixed(1)} s |`).join('\n')}
${failureList(verdict)}`;
}

function failureList({ failures, lostWithWorker, resets }: Verdict): string {
  const groups: readonly [string, readonly Failure[]][] = [
    ['Failed', failures],
    ['Lost with the killed worker', lostWithWorker],
    ['Reset while connecting', resets],
  ];
  return groups
    .filter(([, list]) => list.length > 0)
    .map(([title, list]) => `\n## ${title}\n\n${list.slice(0, 20).map(describe).join('\n')}\n`)
    .join('');
}

function describe({ atMs, startedMs, kind, reason }: Failure): string {
  return `- ${(atMs / 1000).toFixed(2)} s (after ${(atMs - startedMs).toFixed(0)} ms), ${kind}: ${reason}`;
}
