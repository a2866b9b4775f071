import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

/** What memory there is, and how much of it is in use; bytes. */
export interface MemoryUse {
  readonly used: number;
  readonly limit: number;
}

/** Tells of one kind of memory; undefined where it has no bound. */
export type MemoryGauge = () => MemoryUse | undefined;

const checkMs = 500;

/** Whether memory is nearly used up: the container's, or the heap of this worker. Looks twice a second. */
export class MemoryWatch {
  isLow = false;
  readonly #gauges: readonly MemoryGauge[];
  readonly #timer: NodeJS.Timeout;
  #percent: number | false = false;

  constructor(gauges: readonly MemoryGauge[] = [cgroupMemory, heapMemory]) {
    this.#gauges = gauges;
    this.#timer = setInterval(() => this.check(), checkMs).unref();
  }

  /** @param percent of its bound that memory may be in use up to; false to let it */
  configure(percent: number | false): void {
    this.#percent = percent;
    this.check();
  }

  check(): void {
    const percent = this.#percent;
    this.isLow = percent !== false && this.#gauges.some((gauge) => isOver(gauge(), percent));
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function isOver(use: MemoryUse | undefined, percent: number): boolean {
  return use !== undefined && use.used > (use.limit / 100) * percent;
}

/** Of control groups, version 2 and 1. What the kernel can take back at once, pages of files, does not count. */
function cgroupMemory(): MemoryUse | undefined {
  return (
    cgroupUse('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory.current', '/sys/fs/cgroup/memory.stat') ??
    cgroupUse(
      '/sys/fs/cgroup/memory/memory.limit_in_bytes',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes',
      '/sys/fs/cgroup/memory/memory.stat',
    )
  );
}

function cgroupUse(limitFile: string, usedFile: string, statFile: string): MemoryUse | undefined {
  try {
    const limit = Number(readFileSync(limitFile, 'latin1'));
    // `max`, or the number that stands for it in version 1.
    if (!(limit < 2 ** 53)) return undefined;
    const files = /^(?:total_)?inactive_file (\d+)$/m.exec(readFileSync(statFile, 'latin1'))?.[1] ?? '0';
    return { used: Number(readFileSync(usedFile, 'latin1')) - Number(files), limit };
  } catch {
    return undefined;
  }
}

function heapMemory(): MemoryUse {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return { used, limit };
}
