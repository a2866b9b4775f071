import { readdirSync, readFileSync } from 'node:fs';
import { httpGet } from '../test/support/http-get.ts';

interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly descriptors: number;
}

/** What became of a figure from the first third of the run to the last. */
export interface Trend {
  readonly first: number;
  readonly last: number;
  readonly highest: number;
}

const intervalMs = 1000;
/** Just-in-time compilation and caches fill up in this part of the run. */
const warmUpPart = 0.1;

/** Looks once a second at memory and file descriptors of the workers that serve. */
export class Samples {
  private readonly samples: Sample[] = [];
  private readonly adminPort: number;
  private readonly begin = performance.now();
  private timer: NodeJS.Timeout;

  constructor(adminPort: number) {
    this.adminPort = adminPort;
    this.timer = setInterval(() => void this.take(), intervalMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  get count(): number {
    return this.samples.length;
  }

  rss(): Trend {
    return this.trend(({ rssBytes }) => rssBytes);
  }

  descriptors(): Trend {
    return this.trend(({ descriptors }) => descriptors);
  }

  private async take(): Promise<void> {
    try {
      const { body } = await httpGet(this.adminPort, '/status');
      const { workers } = JSON.parse(body) as { workers: { pid: number | null; phase: string }[] };
      const atMs = performance.now() - this.begin;
      for (const { pid, phase } of workers) {
        if (pid === null || phase !== 'ready') continue;
        this.samples.push({ atMs, rssBytes: rssOf(pid), descriptors: readdirSync(`/proc/${pid}/fd`).length });
      }
    } catch {
      // A worker ended in between, or the listener is busy: there is another sample in a second.
    }
  }

  private trend(value: (sample: Sample) => number): Trend {
    const endMs = this.samples.at(-1)?.atMs ?? 0;
    const warm = this.samples.filter(({ atMs }) => atMs >= endMs * warmUpPart);
    const third = ((1 - warmUpPart) * endMs) / 3;
    const first = warm.filter(({ atMs }) => atMs < endMs * warmUpPart + third);
    const last = warm.filter(({ atMs }) => atMs > endMs - third);
    return {
      first: median(first.map(value)),
      last: median(last.map(value)),
      highest: Math.max(0, ...this.samples.map(value)),
    };
  }
}

/** The middle value; 0 of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function rssOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}
