import { readdirSync, readFileSync } from 'node:fs';

/** Processes that a process has started and that still run; none when it has ended itself. */
export function childrenOf(pid: number): number[] {
  const pids: number[] = [];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
      pids.push(...text.split(' ').filter(Boolean).map(Number));
    }
  } catch {
    // It, or one of its threads, ended in between.
  }
  return pids;
}

/** Those and all that they have started. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Ends processes at once; those that are gone already are none's business. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    if (pid < 1) continue; // 0 would be the group of this process itself
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between.
    }
  }
}
