import { readdirSync, readFileSync } from 'node:fs';

/** A process and all it has started, as /proc shows them now; the process itself comes first. */
export function processTree(pid: number): number[] {
  const tree = [pid];
  for (const task of namesIn(`/proc/${pid}/task`)) {
    const children = textOf(`/proc/${pid}/task/${task}/children`).trim();
    if (children === '') continue;
    for (const child of children.split(' ')) tree.push(...processTree(Number(child)));
  }
  return tree;
}

/**
 * CPU time that a process tree has used, in microseconds: the scheduler's own account in nanoseconds (first column of
 * schedstat), over every thread of every process. A thread that ended no longer counts, so take differences only.
 */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0;
  for (const process of processTree(pid)) {
    for (const task of namesIn(`/proc/${process}/task`)) {
      nanoseconds += Number(textOf(`/proc/${process}/task/${task}/schedstat`).split(' ')[0] ?? 0);
    }
  }
  return nanoseconds / 1000;
}

/** Resident memory of one process in kilobytes; 0 when it is gone. */
export function residentKilobytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** The process of a tree that serves: the largest of those that it started, or itself when it does not fork for that. */
export function servingProcess(pid: number, forks: boolean): number {
  const children = forks ? processTree(pid).slice(1) : [];
  if (children.length === 0) return pid;
  return children.reduce((a, b) => (residentKilobytes(b) > residentKilobytes(a) ? b : a));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it ended in between
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
