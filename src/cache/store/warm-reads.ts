/** How long after a read its bytes are taken to be in the system's page cache still. */
const warmMs = 1000;
/** A read that took longer came from a device, or the process had to wait for a processor: nobody can tell. */
const slowMs = 4;
/** For that many times as long nothing is read at once then, and twice as long for each further one that is slow again. */
const pauseShare = 10;
const longestPauseMs = 60_000;

/**
 * Decides which reads may be made at once, on the event loop. From the page cache 100 KB take 4 µs that way, and 10 to 25 µs
 * through Node.js's threads; from a device they would hold up everybody. Read again within a second, a file is in the page
 * cache unless memory is very short. Where reads show otherwise, they take a tenth of the time at most, and less and less.
 */
export class WarmReads {
  private readonly now: () => number;
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private slowInTurn = 0;

  /** @param now milliseconds that only grow */
  constructor(now: () => number) {
    this.now = now;
  }

  /** @param readAt when the same bytes were read last, as `run` or `time` gave it */
  allow(readAt: number): boolean {
    const now = this.now();
    return now - readAt < warmMs && now >= this.pausedUntil;
  }

  /** The time of a read that came back now. */
  time(): number {
    return this.now();
  }

  /** Runs a read. @returns when it was */
  run(read: () => void): number {
    const before = this.now();
    try {
      read();
    } finally {
      const after = this.now();
      const tookMs = after - before;
      if (tookMs <= slowMs) this.slowInTurn = 0;
      else this.pausedUntil = after + Math.min(longestPauseMs, tookMs * pauseShare * 2 ** this.slowInTurn++);
    }
    return before;
  }
}
