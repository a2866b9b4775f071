import type { MetricDefinition } from '../metrics/definition.ts';
import { metricNames } from '../metrics/names.ts';
import type { Gauge, Recorder } from '../metrics/recorder.ts';
import { ReadSlab, slabBytes } from './read-slab.ts';

/** Sizes of the pieces that are lent, smallest first. */
const pieceSizes = [16 * 1024, 64 * 1024, 256 * 1024, slabBytes] as const;
export const smallestPiece = pieceSizes[0];
export const largestPiece = slabBytes;

/**
 * The share of the pool that must stay free behind a piece of each size, in bytes and, where a slab is cut for it, in whole
 * slabs, because a slab of large pieces holds few small ones. Slow clients hold their pieces for long: so large ones are
 * given only while there is plenty, and at the end there is room for many small ones (512 in the default 32 MB even when
 * every larger share is held by clients that take nothing).
 */
const reservedShare = [0, 1 / 4, 3 / 8, 1 / 2] as const;

/** Memory is given back to the system when no piece was lent for this long. */
const idleTrimMs = 10_000;

/** A piece of memory on loan. */
export interface ReadBuffer {
  readonly memory: Buffer;
  readonly slab: ReadSlab;
}

/** Who waits for memory. Exactly one of the two is called, once, unless `cancel` comes first. */
export interface ReadBufferWaiter {
  granted(buffer: ReadBuffer): void;
  /** Nobody gave memory back for too long. */
  timedOut(): void;
}

/**
 * Off-heap memory for reading large files, bounded for the whole worker. Requests beyond the bound queue first come, first
 * served, and get the smallest piece then, so that thousands of slow downloads all move on in turn.
 */
export class ReadBufferPool {
  private readonly slabs: ReadSlab[] = [];
  private readonly waiters = new Map<ReadBufferWaiter, number>();
  private readonly allocated: Gauge;
  private readonly waitTimeoutMs: number;
  private maxSlabs: number;
  private lentBytes = 0;
  private sweep: NodeJS.Timeout | undefined;
  private trim: NodeJS.Timeout | undefined;

  /**
   * @param maxBytes rounded down to whole megabytes, at least one
   * @param metric   shows what it holds
   */
  constructor(
    maxBytes: number,
    recorder: Recorder,
    waitTimeoutMs = 60_000,
    metric: MetricDefinition = metricNames.fileReadBufferBytes,
  ) {
    this.maxSlabs = slabsIn(maxBytes);
    this.waitTimeoutMs = waitTimeoutMs;
    this.allocated = recorder.gauge(metric, {});
  }

  /** Takes a new bound, at reload. What is lent beyond it comes back in its own time. */
  configure(maxBytes: number): void {
    this.maxSlabs = slabsIn(maxBytes);
    this.dropFreeSlabs(this.maxSlabs);
    this.serveWaiters();
  }

  /** Bytes on loan now. */
  get lent(): number {
    return this.lentBytes;
  }

  /** The share of the memory that is free, 0 to 1. */
  get freeShare(): number {
    return Math.max(0, 1 - this.lentBytes / (this.maxSlabs * slabBytes));
  }

  /** Requests that wait now. */
  get waiting(): number {
    return this.waiters.size;
  }

  /** A piece of at most that size (or the smallest size), at once; undefined when others wait or nothing is free. */
  tryAcquire(wantedBytes: number): ReadBuffer | undefined {
    return this.waiters.size > 0 ? undefined : this.take(wantedBytes);
  }

  /** Waits for a piece behind those who wait already. */
  wait(waiter: ReadBufferWaiter): void {
    this.waiters.set(waiter, performance.now() + this.waitTimeoutMs);
    if (this.sweep !== undefined) return;
    this.sweep = setInterval(() => this.expireWaiters(), Math.max(10, this.waitTimeoutMs / 10));
    this.sweep.unref();
  }

  cancel(waiter: ReadBufferWaiter): void {
    this.waiters.delete(waiter);
  }

  release({ memory, slab }: ReadBuffer): void {
    this.lentBytes -= memory.length;
    slab.giveBack(memory);
    this.serveWaiters();
    if (this.lentBytes === 0) this.scheduleTrim();
  }

  private serveWaiters(): void {
    for (const waiter of this.waiters.keys()) {
      const buffer = this.take(smallestPiece);
      if (buffer === undefined) return;
      this.waiters.delete(waiter);
      waiter.granted(buffer);
    }
    this.stopSweep();
  }

  private take(wantedBytes: number): ReadBuffer | undefined {
    const total = this.maxSlabs * slabBytes;
    const free = total - this.lentBytes;
    for (let index = pieceSizes.length - 1; index >= 0; index--) {
      const size = pieceSizes[index] ?? smallestPiece;
      const share = reservedShare[index] ?? 0;
      if (index > 0 && (size > wantedBytes || free - size < total * share)) continue;
      const buffer = this.takeOfSize(size, share);
      if (buffer !== undefined) return buffer;
    }
    // The smallest slabs are full and there is no free one: room within a slab of larger pieces will do.
    return this.takeAnySize();
  }

  private takeOfSize(size: number, reserved: number): ReadBuffer | undefined {
    const slab =
      this.slabs.find((candidate) => candidate.pieceSize === size && candidate.hasRoom && !candidate.isFree) ??
      this.freeSlab(reserved);
    if (slab === undefined) return undefined;
    if (slab.isFree) slab.divide(size);
    return this.lend(slab);
  }

  /** A slab to cut anew, if that leaves so large a share of them uncut. */
  private freeSlab(reserved: number): ReadSlab | undefined {
    let first: ReadSlab | undefined;
    let uncut = this.maxSlabs - this.slabs.length;
    for (const slab of this.slabs) {
      if (!slab.isFree) continue;
      first ??= slab;
      uncut++;
    }
    return uncut - 1 < this.maxSlabs * reserved ? undefined : (first ?? this.addSlab());
  }

  private takeAnySize(): ReadBuffer | undefined {
    const slab = this.slabs.find((candidate) => candidate.hasRoom);
    return slab === undefined ? undefined : this.lend(slab);
  }

  private lend(slab: ReadSlab): ReadBuffer {
    const memory = slab.takePiece();
    this.lentBytes += memory.length;
    return { memory, slab };
  }

  private addSlab(): ReadSlab | undefined {
    if (this.slabs.length >= this.maxSlabs) return undefined;
    const slab = new ReadSlab();
    this.slabs.push(slab);
    this.allocated.set(this.slabs.length * slabBytes);
    return slab;
  }

  private expireWaiters(): void {
    const now = performance.now();
    for (const [waiter, deadline] of this.waiters) {
      // In the order of their deadlines, because all wait equally long.
      if (deadline > now) return;
      this.waiters.delete(waiter);
      waiter.timedOut();
    }
    this.stopSweep();
  }

  private stopSweep(): void {
    if (this.sweep !== undefined) clearInterval(this.sweep);
    this.sweep = undefined;
  }

  private scheduleTrim(): void {
    if (this.trim !== undefined) return;
    this.trim = setTimeout(() => {
      this.trim = undefined;
      if (this.lentBytes === 0) this.dropFreeSlabs(0);
    }, idleTrimMs);
    this.trim.unref();
  }

  private dropFreeSlabs(keep: number): void {
    for (let index = this.slabs.length - 1; index >= 0 && this.slabs.length > keep; index--) {
      if (this.slabs[index]?.isFree === true) this.slabs.splice(index, 1);
    }
    this.allocated.set(this.slabs.length * slabBytes);
  }
}

function slabsIn(bytes: number): number {
  return Math.max(1, Math.floor(bytes / slabBytes));
}
