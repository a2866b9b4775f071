import type { BenchContext } from './bench-context.ts';
import { type Footprint, takeFootprint } from './footprint.ts';
import { shuffled } from './statistics.ts';

const debianServers = ['portico', 'nginx', 'h2o', 'haproxy', 'caddy'];

/** Start and memory of every server, and the start of Portico with a worker for each core. */
export async function runFootprints(context: BenchContext): Promise<void> {
  const { store, options, folder, upstream, say } = context;
  const counts = { starts: options.starts, connections: options.idleConnections, settleMs: options.settleMs };
  for (const contender of shuffled(context.contenders.filter((one) => debianServers.includes(one.name)))) {
    const { name, title } = contender;
    if (store.count('footprint', name) > 0) continue;
    try {
      store.add('footprint', name, known(await takeFootprint(contender, folder, upstream, counts)));
      if (name === 'portico') {
        const allCores = { ...counts, connections: 0, variant: { workers: 'auto' } } as const;
        store.add('start-all-cores', name, known(await takeFootprint(contender, folder, upstream, allCores)));
      }
      say(`start and memory of ${title}: done`);
    } catch (error) {
      store.fail('footprint', name, error instanceof Error ? error.message : String(error));
    }
  }
}

function known(footprint: Footprint): Record<string, number> {
  return Object.fromEntries(Object.entries(footprint).filter(([, value]) => value !== undefined));
}
