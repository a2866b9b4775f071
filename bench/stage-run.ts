import type { BenchContext } from './bench-context.ts';
import type { ChildServer } from './child-server.ts';
import { runLoad } from './load-generator.ts';
import { measure } from './measurement.ts';
import type { Case, Stage } from './plan.ts';
import { shuffled } from './statistics.ts';
import { variantKey } from './variant.ts';

/** Servers of a stage by contender and variant; one that does not start is the message why. */
type Servers = Map<string, ChildServer | string>;

/** Measures what of the stage has not been measured yet: every case once a round, in a new order each time. */
export async function runStage(context: BenchContext, stage: Stage): Promise<void> {
  const { store, options } = context;
  const missing = (): Case[] => stage.cases.filter((one) => store.count(one.row, one.contender.name) < options.rounds);
  let servers: Servers = new Map();
  try {
    for (let round = 1; round <= options.rounds; round++) {
      // Going on with an interrupted run, some cases are ahead of others.
      const cases = missing().filter((one) => store.count(one.row, one.contender.name) < round);
      if (cases.length === 0) continue;
      if (servers.size === 0) {
        servers = await startServers(context, cases);
        if (stage.warmUpOnceSeconds !== undefined) await warmUp(context, cases, servers, stage.warmUpOnceSeconds);
      }
      for (const row of shuffled([...new Set(cases.map((one) => one.row))])) {
        for (const one of shuffled(cases.filter((each) => each.row === row))) {
          await runCase(context, one, servers.get(serverKey(one)), stage.warmUpOnceSeconds === undefined, round);
        }
      }
      if (stage.warmUpOnceSeconds === undefined) {
        await stopServers(servers);
        servers = new Map();
      }
    }
  } finally {
    await stopServers(servers);
  }
}

async function runCase(
  { store, options, folder, say }: BenchContext,
  one: Case,
  server: ChildServer | string | undefined,
  mayWarmUp: boolean,
  round: number,
): Promise<void> {
  const { contender, row } = one;
  if (typeof server === 'string' || server === undefined) {
    store.fail(row, contender.name, server ?? 'was not started');
    return;
  }
  try {
    const warmUpSeconds = mayWarmUp && contender.warmsUp ? options.warmUpSeconds : 0;
    const found = await measure(server, one.work, { seconds: options.seconds, warmUpSeconds }, folder.path);
    store.add(row, contender.name, { ...found });
    const rate = found.requestsPerSecond.toFixed(0);
    say(`round ${round}: ${row}, ${contender.title}: ${found.microsecondsPerUnit.toFixed(1)} µs, ${rate}/s`);
  } catch (error) {
    const problem = firstLine(error);
    store.fail(row, contender.name, problem);
    say(`round ${round}: ${row}, ${contender.title}: ${problem}`);
  }
  folder.emptyLogs();
}

async function startServers({ folder, upstream, say }: BenchContext, cases: readonly Case[]): Promise<Servers> {
  const servers: Servers = new Map();
  for (const one of cases) {
    const key = serverKey(one);
    if (servers.has(key)) continue;
    if (one.variant.cachedFiles !== undefined) folder.writeManyFiles(one.variant.cachedFiles);
    try {
      servers.set(key, await one.contender.start(folder, upstream, one.variant));
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
      servers.set(key, firstLine(error));
    }
  }
  return servers;
}

/** Once for each server, with the last of its works, which is the larger one. */
async function warmUp(
  { folder }: BenchContext,
  cases: readonly Case[],
  servers: Servers,
  seconds: number,
): Promise<void> {
  for (const one of new Map(cases.map((each) => [serverKey(each), each])).values()) {
    const server = servers.get(serverKey(one));
    if (server === undefined || typeof server === 'string') continue;
    // A failure will show when it is measured.
    await runLoad(`http://127.0.0.1:${server.port}`, one.work, seconds, folder.path).catch(() => undefined);
  }
}

async function stopServers(servers: Servers): Promise<void> {
  for (const server of servers.values()) if (typeof server !== 'string') await server.stop();
}

function serverKey(one: Case): string {
  return `${one.contender.name} ${variantKey(one.variant)}`;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
