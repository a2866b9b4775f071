import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import cluster, { type ClusterSettings } from 'node:cluster';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChannelEndpoint } from '../ipc/channel.ts';
import { canReusePort } from '../listener/reuse-port.ts';

/** What the primary needs of a worker's process; a ChildProcess is one. */
export interface WorkerProcess extends ChannelEndpoint {
  /** Undefined when it could not be started. */
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** Starts the process of a slot. */
export type ForkWorker = (slot: number) => WorkerProcess;

/** What all workers are started with. */
export interface ForkOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Largest request head now, bytes: uWebSockets.js reads it once, from its environment, when it is loaded. */
  readonly headerBytes: () => number;
}

/** @returns a function that forks this same program's worker entry, compiled or from source alike */
export function workerForker({ environment, headerBytes }: ForkOptions): ForkWorker {
  const extension = extname(import.meta.url);
  const entry = fileURLToPath(new URL(`../worker/entry${extension}`, import.meta.url));
  const execArgv = workerExecArgv(process.execArgv);
  const options = {
    execArgv,
    // A worker never reads the terminal.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'] satisfies StdioOptions as Extract<StdioOptions, readonly unknown[]>,
    // Keeps NaN and undefined as they are; JSON would turn the one into null and drop the other.
    serialization: 'advanced' as const,
  };
  return (slot) => {
    const env = { ...environment, UWS_HTTP_MAX_HEADERS_SIZE: String(headerBytes()), PORTICO_WORKER: String(slot) };
    return canReusePort ? fork(entry, { ...options, env }) : forkSharing(entry, options, env);
  };
}

/**
 * Where workers cannot each open the same port by themselves, those of the node engine share one listening socket, which
 * only Node's cluster can hand them. Nothing else of it is used: connections are accepted by the workers.
 */
function forkSharing(exec: string, options: ClusterSettings, env: NodeJS.ProcessEnv): ChildProcess {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec, ...options });
  return cluster.fork(env).process;
}

/**
 * Options of the virtual machine for workers.
 *
 * `--no-allocation-site-pretenuring`: without it V8 notices that some objects of a request survive a collection of the young
 * generation, which those under way do, and makes all later ones of their kind in the old one. Dead ones there keep alive
 * whatever they point at, heads and all, until the next full collection: 2.6 MB survived each young collection in place of
 * 0.3 MB, which made it take 6 ms in place of 1 ms, and some workers a third slower than others for as long as they ran.
 *
 * `--no-parallel-scavenge`: so little survives a collection that threads which share its work only cost time, a quarter of all
 * pauses; and where each core has a worker of its own, a collection waited for a thread that had no core, up to 7 ms.
 */
const workerOptions: readonly string[] = ['--no-allocation-site-pretenuring', '--no-parallel-scavenge'];

/**
 * What Node.js runs a worker with: our options, then those of this process (a loader such as tsx, memory limits), which
 * count where both say something. Not the inspector's: its port is taken.
 */
export function workerExecArgv(own: readonly string[]): string[] {
  return [...workerOptions, ...own.filter((option) => !option.startsWith('--inspect'))];
}
