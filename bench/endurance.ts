import type { BenchContext } from './bench-context.ts';
import type { ChildServer } from './child-server.ts';
import { type Collection, readCollections } from './gc-trace.ts';
import { runLoad } from './load-generator.ts';
import { residentKilobytes, servingProcess } from './process-tree.ts';
import { requestList } from './request-list.ts';
import { median } from './statistics.ts';
import { work } from './work.ts';

/** What a long run found out about memory. */
export interface Endurance {
  readonly requests: number;
  readonly failures: number;
  readonly seconds: number;
  readonly collections: number;
  /** Longest pause for garbage collection, and the sum of all of them; milliseconds. */
  readonly longestPauseMs: number;
  readonly allPausesMs: number;
  /** Resident memory of the worker: middle of the second fifth of the run, and of the last; kilobytes. */
  readonly earlyKilobytes: number;
  readonly lateKilobytes: number;
}

const sampleMs = 250;
/** Requests of the long form. */
const longRequests = 10_000_000;

/** Half of it static, half proxied; memory is used in different ways by each. */
const mixture = work('endurance', 'a mixture of requests', '/1k.html', {
  list: requestList('endurance', () => [
    '/1k.html',
    '/tcp/128',
    '/page/asset-12.woff2',
    '/tcp/10k',
    '/100k.bin',
    '/unix/128',
    '/page/asset-1.js',
    '/tcp/128',
  ]),
});

/** A run of a minute, or until so many requests are answered, with garbage collection traced and memory watched. */
export async function runEndurance(context: BenchContext): Promise<void> {
  const { store, options, folder, upstream, say } = context;
  const contender = context.contenders.find((one) => one.name === 'portico');
  if (!contender || store.count('endurance', 'portico') > 0) return;
  let output = '';
  const variant = { nodeOptions: ['--trace-gc'] };
  const server = await contender.start(folder, upstream, variant, (text) => (output += text));
  try {
    const worker = servingProcess(server.pid, contender.forks);
    await runLoad(`http://127.0.0.1:${server.port}`, mixture, options.enduranceWarmUpSeconds, folder.path);
    output = '';
    const { requests, failures, seconds, resident } = await loadAndWatch(context, server, worker);
    const collections = readCollections(output).filter((one) => one.pid === worker);
    const found = { requests, failures, seconds, ...pauses(collections), ...growth(resident) };
    store.add('endurance', 'portico', { ...(found satisfies Endurance) });
    say(`endurance: ${requests} requests, longest pause ${found.longestPauseMs} ms`);
  } catch (error) {
    store.fail('endurance', 'portico', error instanceof Error ? error.message : String(error));
  } finally {
    await server.stop();
  }
}

async function loadAndWatch(
  { options, folder }: BenchContext,
  server: ChildServer,
  worker: number,
): Promise<{ requests: number; failures: number; seconds: number; resident: number[] }> {
  const resident: number[] = [];
  const timer = setInterval(() => resident.push(residentKilobytes(worker)), sampleMs);
  const startedAt = Date.now();
  const sum = { requests: 0, failures: 0 };
  try {
    do {
      const origin = `http://127.0.0.1:${server.port}`;
      const load = await runLoad(origin, mixture, options.enduranceSeconds, folder.path);
      sum.requests += load.requests;
      sum.failures += load.failures;
    } while (options.long && sum.requests < longRequests);
  } finally {
    clearInterval(timer);
  }
  return { ...sum, seconds: (Date.now() - startedAt) / 1000, resident };
}

function pauses(collections: readonly Collection[]): Pick<Endurance, 'collections' | 'longestPauseMs' | 'allPausesMs'> {
  const times = collections.map((one) => one.pauseMs);
  return {
    collections: times.length,
    longestPauseMs: Math.max(0, ...times),
    allPausesMs: times.reduce((sum, time) => sum + time, 0),
  };
}

function growth(resident: readonly number[]): Pick<Endurance, 'earlyKilobytes' | 'lateKilobytes'> {
  const fifth = Math.max(1, Math.floor(resident.length / 5));
  return { earlyKilobytes: median(resident.slice(fifth, 2 * fifth)), lateKilobytes: median(resident.slice(-fifth)) };
}
