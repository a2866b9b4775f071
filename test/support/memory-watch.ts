import { readFileSync } from 'node:fs';

const sampleMs = 25;

/** Watches the resident memory of processes and keeps the highest value of any of them. */
export class MemoryWatch {
  /** Bytes. */
  peak = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(pids: () => readonly number[]) {
    const sample = (): void => {
      for (const pid of pids()) this.peak = Math.max(this.peak, residentBytes(pid));
    };
    sample();
    this.timer = setInterval(sample, sampleMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** Resident memory of a process in bytes, 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
