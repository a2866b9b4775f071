import type { BenchContext } from './bench-context.ts';
import type { ChildServer } from './child-server.ts';
import { buildConstantRate, runConstantRate, type Tail } from './constant-rate.ts';
import { runLoad } from './load-generator.ts';
import { longEnoughSeconds } from './measurement.ts';
import { shuffled } from './statistics.ts';
import { type Work, work } from './work.ts';

const servers = ['portico', 'nginx'];
/** Whose times are looked at. */
const leastRequests = 20;

/** What both servers answer at a constant rate. */
const latencyWorks: readonly Work[] = [
  work('latency-static', 'static file, 1 KB', '/1k.html'),
  work('latency-proxy', 'proxy over TCP, 128 B', '/tcp/128'),
];

/** The row of the same work with each server at half of its own rate. */
export function atOwnRate(row: string): string {
  return `${row}-own`;
}

/** Every row with its title. */
export const latencyRows: ReadonlyMap<string, string> = new Map([
  ...latencyWorks.map(({ name, title }) => [name, title] as const),
  ...latencyWorks.map(({ name, title }) => [atOwnRate(name), `${title}, its own rate`] as const),
]);

/**
 * Response times at half of the rate at which a server is saturated. First that of the slower one for both: what users of either
 * would see under the same traffic. Then its own for each: the same load, measured by what it can do.
 */
export async function runTailLatency(context: BenchContext): Promise<void> {
  const { store, options, folder, upstream, say } = context;
  const contenders = context.contenders.filter((one) => servers.includes(one.name));
  for (let round = 1; round <= options.rounds; round++) {
    const works = latencyWorks.filter((one) => contenders.some(({ name }) => store.count(one.name, name) < round));
    if (works.length === 0) continue;
    const running = new Map<string, ChildServer>();
    try {
      buildConstantRate();
      for (const one of contenders) running.set(one.name, await one.start(folder, upstream));
      for (const one of shuffled(works)) {
        await measureBoth(context, running, one, round);
      }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      for (const { name } of works) store.fail(name, 'portico', problem);
      say(`round ${round}: constant rate: ${problem}`);
    } finally {
      for (const server of running.values()) await server.stop();
    }
  }
}

async function measureBoth(
  context: BenchContext,
  running: ReadonlyMap<string, ChildServer>,
  one: Work,
  round: number,
): Promise<void> {
  const { store, options, folder } = context;
  const halves = new Map<string, number>();
  for (const [name, server] of running) {
    halves.set(name, Math.max(1, Math.floor((await rateOf(server, one, options.seconds, folder.path)) / 2)));
  }
  const common = Math.min(...halves.values());
  for (const [name, server] of shuffled([...running])) {
    if (store.count(one.name, name) >= round) continue;
    const own = halves.get(name) ?? common;
    const tail = await tailAt(context, server, name, one, common);
    store.add(one.name, name, { ...tail });
    store.add(atOwnRate(one.name), name, {
      ...(own === common ? tail : await tailAt(context, server, name, one, own)),
    });
  }
}

async function tailAt(
  { options, say }: BenchContext,
  server: ChildServer,
  name: string,
  { path, title }: Work,
  rate: number,
): Promise<Tail> {
  const tail = await runConstantRate({
    port: server.port,
    path,
    rate,
    connections: 64,
    // A short run on a machine that others keep busy would have none to tell of.
    seconds: Math.max(options.seconds * 1.5, leastRequests / rate),
    warmUpSeconds: options.warmUpSeconds,
  });
  say(`constant rate, ${title}, ${name}: p99 ${tail.p99Ms.toFixed(2)} ms at ${rate}/s`);
  return tail;
}

/** Asks for longer where nothing was answered yet. */
async function rateOf(server: ChildServer, one: Work, seconds: number, folder: string): Promise<number> {
  const load = await runLoad(`http://127.0.0.1:${server.port}`, one, seconds, folder);
  if (load.requests === 0 && seconds < longEnoughSeconds) return rateOf(server, one, seconds * 4, folder);
  return load.requestsPerSecond;
}
