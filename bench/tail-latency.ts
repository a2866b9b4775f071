import type { BenchContext } from './bench-context.ts';
import type { ChildServer } from './child-server.ts';
import { buildConstantRate, runConstantRate } from './constant-rate.ts';
import { runLoad } from './load-generator.ts';
import { longEnoughSeconds } from './measurement.ts';
import { shuffled } from './statistics.ts';
import { type Work, work } from './work.ts';

const servers = ['portico', 'nginx'];
/** Whose times are looked at. */
const leastRequests = 20;

/** What both servers answer at the same constant rate. */
export const latencyWorks: readonly Work[] = [
  work('latency-static', 'static file, 1 KB', '/1k.html'),
  work('latency-proxy', 'proxy over TCP, 128 B', '/tcp/128'),
];

/**
 * Response times at half of the rate at which the slower of the servers is saturated, the same rate for each: what users of
 * either would see under the same traffic.
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
        const rate = Math.max(1, Math.floor((await slowestRate(context, running, one)) / 2));
        for (const contender of shuffled(contenders)) {
          const server = running.get(contender.name);
          if (!server || store.count(one.name, contender.name) >= round) continue;
          const tail = await runConstantRate({
            port: server.port,
            path: one.path,
            rate,
            connections: 64,
            // A short run on a machine that others keep busy would have none to tell of.
            seconds: Math.max(options.seconds * 1.5, leastRequests / rate),
            warmUpSeconds: options.warmUpSeconds,
          });
          store.add(one.name, contender.name, { ...tail });
          say(`round ${round}: ${one.name}, ${contender.title}: p99 ${tail.p99Ms.toFixed(2)} ms at ${rate}/s`);
        }
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

async function slowestRate(
  context: BenchContext,
  running: ReadonlyMap<string, ChildServer>,
  one: Work,
): Promise<number> {
  const rates: number[] = [];
  for (const server of running.values()) {
    rates.push(await rateOf(server, one, context.options.seconds, context.folder.path));
  }
  return Math.min(...rates);
}

/** Asks for longer where nothing was answered yet. */
async function rateOf(server: ChildServer, one: Work, seconds: number, folder: string): Promise<number> {
  const load = await runLoad(`http://127.0.0.1:${server.port}`, one, seconds, folder);
  if (load.requests === 0 && seconds < longEnoughSeconds) return rateOf(server, one, seconds * 4, folder);
  return load.requestsPerSecond;
}
