import type { Contender, Upstream } from './contender.ts';
import { kilobytesPerIdleConnection } from './idle-connections.ts';
import { processTree, residentKilobytes, servingProcess } from './process-tree.ts';
import { median } from './statistics.ts';
import type { Variant } from './variant.ts';
import type { WorkFolder } from './work-folder.ts';

/** What a server costs before it does any work. */
export interface Footprint {
  /** Median time from starting the process to the first response, milliseconds. */
  readonly startMs: number;
  /** Resident memory of the process that serves, and of all of them, idle; kilobytes. */
  readonly workerKilobytes: number;
  readonly allKilobytes: number;
  /** Undefined when the server closed connections meanwhile. */
  readonly connectionKilobytes: number | undefined;
}

/** How thoroughly that is found out. */
export interface FootprintCounts {
  readonly starts: number;
  readonly connections: number;
  readonly settleMs: number;
  readonly variant?: Variant;
}

/** Starts the server so many times; the last one stays for the memory figures. */
export async function takeFootprint(
  contender: Contender,
  folder: WorkFolder,
  upstream: Upstream,
  counts: FootprintCounts,
): Promise<Footprint> {
  const starts: number[] = [];
  for (let start = 1; start < counts.starts; start++) {
    const server = await contender.start(folder, upstream, counts.variant);
    starts.push(server.startMs);
    await server.stop();
  }
  const server = await contender.start(folder, upstream, counts.variant);
  try {
    starts.push(server.startMs);
    await new Promise((resolve) => setTimeout(resolve, counts.settleMs));
    const processes = processTree(server.pid);
    const allKilobytes = processes.reduce((sum, pid) => sum + residentKilobytes(pid), 0);
    const worker = servingProcess(server.pid, contender.forks);
    const workerKilobytes = residentKilobytes(worker);
    const path = contender.servesFiles ? '/1k.html' : '/tcp/128';
    const connectionKilobytes =
      counts.connections > 0 ? await kilobytesPerIdleConnection(server.port, worker, path, counts) : undefined;
    return { startMs: median(starts), workerKilobytes, allKilobytes, connectionKilobytes };
  } finally {
    await server.stop();
  }
}
