/** `npm run bench`: Portico beside NGINX, h2o, HAProxy and Caddy. bench/README.md says how to read the result. */
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ChildServer } from './child-server.ts';
import { type Contender, portico, rivals, type Upstream } from './contender.ts';
import { type Footprint, takeFootprint } from './footprint.ts';
import { describeHost, versionOf } from './host.ts';
import { type Measurement, measure } from './measurement.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { renderReport } from './report.ts';
import { shuffled } from './statistics.ts';
import { startUpstream } from './upstream.ts';
import { type Work, works } from './work.ts';
import { WorkFolder } from './work-folder.ts';

type Measurements = Map<string, Map<string, Measurement[]>>;

const defaults = {
  program: fileURLToPath(new URL('../dist/main.js', import.meta.url)),
  out: fileURLToPath(new URL('RESULTS.md', import.meta.url)),
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
try {
  await runBench(readOptions(process.argv.slice(2), defaults));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function runBench(options: BenchOptions): Promise<void> {
  const chosen = choose(options);
  if (chosen.contenders.some((one) => one.name === 'portico') && !existsSync(options.program)) {
    throw new Error(`${options.program} is not there; npm run build makes it`);
  }
  const versions = new Map<string, string>();
  const contenders = chosen.contenders.filter((one) => {
    const version = versionOf(one);
    if (version === undefined) say(`${one.title} is left out: "${one.version.command}" does not run`);
    else versions.set(one.name, version);
    return version !== undefined;
  });
  const folder = new WorkFolder();
  const { upstream, server } = await startUpstream(folder);
  try {
    const measurements = await measureAll(options, contenders, chosen.works, folder, upstream);
    const footprints = await takeFootprints(options, contenders, folder, upstream);
    const report = renderReport({
      host: describeHost(),
      date: new Date().toISOString().slice(0, 10),
      rounds: options.rounds,
      seconds: options.seconds,
      contenders,
      versions,
      works: chosen.works,
      measurements,
      footprints,
      startAllCoresMs: contenders.some((one) => one.name === 'portico')
        ? await startAllCores(options, folder, upstream)
        : undefined,
      idleConnections: options.idleConnections,
    });
    process.stdout.write(report);
    if (options.out !== undefined) writeFileSync(options.out, report);
  } finally {
    await server.stop();
    folder.remove();
  }
}

/** `--only` takes names of servers and of works; naming none of a kind means all of it. */
function choose(options: BenchOptions): { contenders: readonly Contender[]; works: readonly Work[] } {
  const all = [portico(options.node, options.program), ...rivals];
  const known = new Set([...all, ...works].map((one) => one.name));
  const unknown = options.only.find((name) => !known.has(name));
  if (unknown !== undefined) throw new Error(`--only is "${unknown}"; expected one of ${[...known].join(', ')}`);
  const some = <T extends { readonly name: string }>(list: readonly T[]): readonly T[] => {
    const named = list.filter((one) => options.only.includes(one.name));
    return named.length > 0 ? named : list;
  };
  return { contenders: some(all), works: some(works) };
}

/** Every server runs through a whole round; idle ones cost no CPU. Each work visits them in a new order. */
async function measureAll(
  options: BenchOptions,
  contenders: readonly Contender[],
  chosen: readonly Work[],
  folder: WorkFolder,
  upstream: Upstream,
): Promise<Measurements> {
  const measurements: Measurements = new Map();
  for (let round = 1; round <= options.rounds; round++) {
    const servers = new Map<string, ChildServer>();
    try {
      for (const contender of contenders) servers.set(contender.name, await contender.start(folder, upstream));
      for (const work of shuffled(chosen)) {
        for (const contender of shuffled(contenders)) {
          const server = servers.get(contender.name);
          if (!server || (work.needsFiles && !contender.servesFiles)) continue;
          const one = await measure(server, work, options, folder.path);
          keep(measurements, work, contender, one);
          const cost = one.microsecondsPerRequest.toFixed(1);
          say(`round ${round}: ${work.title}, ${contender.title}: ${cost} µs, ${one.requestsPerSecond.toFixed(0)}/s`);
        }
      }
    } finally {
      for (const server of servers.values()) await server.stop();
    }
  }
  return measurements;
}

function keep(measurements: Measurements, work: Work, contender: Contender, one: Measurement): void {
  const ofWork = measurements.get(work.name) ?? new Map<string, Measurement[]>();
  measurements.set(work.name, ofWork);
  ofWork.set(contender.name, [...(ofWork.get(contender.name) ?? []), one]);
}

async function takeFootprints(
  options: BenchOptions,
  contenders: readonly Contender[],
  folder: WorkFolder,
  upstream: Upstream,
): Promise<Map<string, Footprint>> {
  const footprints = new Map<string, Footprint>();
  for (const contender of shuffled(contenders)) {
    const counts = { starts: options.starts, connections: options.idleConnections };
    footprints.set(contender.name, await takeFootprint(contender, folder, upstream, counts));
    say(`start and memory of ${contender.title}: done`);
  }
  return footprints;
}

async function startAllCores(options: BenchOptions, folder: WorkFolder, upstream: Upstream): Promise<number> {
  const contender = portico(options.node, options.program, 'auto');
  const { startMs } = await takeFootprint(contender, folder, upstream, { starts: options.starts, connections: 0 });
  return startMs;
}

/** Progress goes to standard error; the table alone to standard output. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
