/** `npm run bench`: Portico beside its rivals. bench/README.md says how to read the result. */
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from './bench-context.ts';
import { type Contender, nodeRivals, rivals } from './contender.ts';
import { runEndurance } from './endurance.ts';
import { runFootprints } from './footprints.ts';
import { describeCommit, describeHost, versionOf } from './host.ts';
import { cacheFolder, installNodeRivals } from './node-rivals.ts';
import { watchNoise } from './noise.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { planStages, type Stage } from './plan.ts';
import { portico } from './portico.ts';
import { renderReport } from './report.ts';
import { type RunFacts, SampleStore } from './sample-store.ts';
import { runStage } from './stage-run.ts';
import { runTailLatency } from './tail-latency.ts';
import { startUpstream } from './upstream.ts';
import { WorkFolder } from './work-folder.ts';

const defaults = {
  program: fileURLToPath(new URL('../dist/main.js', import.meta.url)),
  out: fileURLToPath(new URL('RESULTS.md', import.meta.url)),
};
const samplesFile = `${cacheFolder}/samples.json`;
const partialFile = `${cacheFolder}/RESULTS.partial.md`;

/** Parts that are no stage. */
const parts: Readonly<Record<string, (context: BenchContext) => Promise<void>>> = {
  latency: runTailLatency,
  endurance: runEndurance,
  footprint: runFootprints,
};

// Each server that runs has one, which ends it with this process.
process.setMaxListeners(50);
try {
  await runBench(readOptions(process.argv.slice(2), defaults));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function runBench(options: BenchOptions): Promise<void> {
  const endWatch = watchNoise();
  const all = [portico(options.node, options.program), ...rivals, ...nodeRivals(options.node)];
  checkNames(options, all);
  const { contenders, facts } = takeStock(options, all);
  const store = options.resume
    ? SampleStore.resume(facts, samplesFile)
    : new SampleStore(facts, options.quick || options.only.length > 0 ? undefined : samplesFile);
  const folder = new WorkFolder();
  const stages = planStages(all, options.sizes, options.quick);
  const render = (): string =>
    renderReport({ store, contenders: all, stages, idleConnections: options.idleConnections });
  endOnSignal(() => writeFileSync(partialFile, render()), folder);
  const { upstream, server } = await startUpstream(folder);
  try {
    const context = { options, store, folder, upstream, contenders, say };
    for (const stage of stages) await runStage(context, asked(options, stage, contenders));
    for (const [name, run] of Object.entries(parts)) if (isAsked(options, name)) await run(context);
  } finally {
    await server.stop();
    folder.remove();
  }
  store.addNoise(endWatch());
  const report = render();
  process.stdout.write(report);
  if (options.out !== undefined) writeFileSync(options.out, report);
  // A rival may fail, Portico may not.
  if (store.problems().some((problem) => problem.includes(', portico: '))) process.exitCode = 1;
}

/** @throws Error for a name that nothing has */
function checkNames(options: BenchOptions, contenders: readonly Contender[]): void {
  const stages = planStages(contenders, options.sizes, options.quick);
  const rows = stages.flatMap((stage) => [stage.name, ...stage.cases.map((one) => one.row)]);
  const known = new Set([...contenders.map((one) => one.name), ...rows, ...Object.keys(parts)]);
  const unknown = options.only.find((name) => !known.has(name));
  if (unknown !== undefined) throw new Error(`--only is "${unknown}"; expected one of ${[...known].join(', ')}`);
}

/** Which servers are there, and what is to be said of them. */
function takeStock(
  options: BenchOptions,
  all: readonly Contender[],
): { contenders: readonly Contender[]; facts: RunFacts } {
  const named = all.filter((one) => options.only.includes(one.name));
  const wanted = named.length > 0 ? named : all;
  if (wanted.some((one) => one.name === 'portico') && !existsSync(options.program)) {
    throw new Error(`${options.program} is not there; npm run build makes it`);
  }
  const fromNpm = new Set(nodeRivals(options.node).map((one) => one.name));
  const problem = wanted.some((one) => fromNpm.has(one.name)) ? installNodeRivals() : undefined;
  if (problem !== undefined) say(`the proxies from npm are left out: ${problem}`);
  const versions: Record<string, string> = {};
  const absent: Record<string, string> = {};
  for (const one of wanted) {
    const version = versionOf(one);
    if (version !== undefined) versions[one.name] = version;
    else absent[one.name] = 'not installed';
    if (version === undefined) say(`${one.title} is left out: it is not installed`);
  }
  const { rounds, seconds, quick, long } = options;
  const facts = { host: describeHost(), commit: describeCommit(), versions, absent, rounds, seconds, quick, long };
  return { contenders: wanted.filter((one) => one.name in versions), facts };
}

/** The part of a stage that is asked for: by the name of the stage, or of rows; of servers that are there. */
function asked(options: BenchOptions, stage: Stage, contenders: readonly Contender[]): Stage {
  const cases = stage.cases
    .filter((one) => contenders.some(({ name }) => name === one.contender.name))
    .filter((one) => isAsked(options, stage.name) || options.only.includes(one.row));
  return { ...stage, cases };
}

/** Names of servers alone ask for every part. */
function isAsked(options: BenchOptions, name: string): boolean {
  const servers = new Set([portico('', ''), ...rivals, ...nodeRivals('')].map((one) => one.name));
  const partsNamed = options.only.filter((one) => !servers.has(one));
  return partsNamed.length === 0 || partsNamed.includes(name);
}

/** What was measured so far is kept: `--resume` goes on with it. */
function endOnSignal(keep: () => void, folder: WorkFolder): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      keep();
      say(`interrupted; what there is so far: ${partialFile}; "npm run bench -- --resume" goes on`);
      folder.remove();
      process.exit(130);
    });
  }
}

/** Progress goes to standard error; the page alone to standard output. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
