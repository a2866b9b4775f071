import type { CacheEntry } from './cache-entry.ts';
import type { Representation } from './representation.ts';

/** A large file is hot once so many times its size was asked for within the time below. */
const hotAfterTimes = 4;
/** Milliseconds. One that was not asked for in so long makes room for others. */
const hotForMs = 10_000;

/** How much room there is for them. */
export interface HotFileBounds {
  /** Of one file, bytes; 0 for none. */
  readonly maxFileBytes: number;
  /** Of all of them together. */
  readonly maxBytes: number;
}

interface KeptFile {
  readonly entry: CacheEntry;
  /** `performance.now()` of the last response that was sent from it. */
  usedAt: number;
}

/**
 * Large files that are asked for so often that they are kept in memory like small ones: which, and how much room they take.
 * Sending a file from memory costs half of reading it and sending it. They never get more than their share, and so cannot
 * push out the small files.
 */
export class HotFiles {
  /** What they take, those that are being read included. */
  bytes = 0;
  /** The one that was used last stands last. */
  private readonly kept = new Map<Representation, KeptFile>();

  /**
   * Counts a request for a file, or a part of it, that is not in memory.
   * @param askedBytes how much of it is to be sent
   * @param drop takes the contents out of memory
   * @returns whether to read it into memory now
   */
  admits(
    entry: CacheEntry,
    representation: Representation,
    askedBytes: number,
    bounds: HotFileBounds,
    drop: (entry: CacheEntry) => void,
  ): boolean {
    const { size } = representation;
    if (size > bounds.maxFileBytes || size > bounds.maxBytes) return false;
    const now = performance.now();
    if (now - representation.askedSince > hotForMs) {
      representation.askedBytes = 0;
      representation.askedSince = now;
    }
    representation.askedBytes += askedBytes;
    if (representation.askedBytes <= hotAfterTimes * size) return false;
    if (this.kept.has(representation)) return true;
    this.makeRoom(bounds.maxBytes - size, now, drop);
    if (this.bytes + size > bounds.maxBytes) return false;
    this.bytes += size;
    this.kept.set(representation, { entry, usedAt: now });
    return true;
  }

  /** A response is sent from it. */
  used(representation: Representation): void {
    const file = this.kept.get(representation);
    if (file === undefined) return;
    file.usedAt = performance.now();
    this.kept.delete(representation);
    this.kept.set(representation, file);
  }

  /** It is not kept any more. */
  forget(representation: Representation): void {
    if (this.kept.delete(representation)) this.bytes -= representation.size;
  }

  /** Lets go of those that nobody has asked for lately, as far as that is needed. */
  private makeRoom(maxBytes: number, now: number, drop: (entry: CacheEntry) => void): void {
    for (const [representation, { entry, usedAt }] of this.kept) {
      if (this.bytes <= maxBytes || now - usedAt <= hotForMs) return;
      // Slow clients hold it: memory would not become free.
      if (representation.pins > 0 || representation.contents === undefined) continue;
      representation.drop();
      entry.contentsChanged();
      representation.askedBytes = 0;
      this.forget(representation);
      drop(entry);
    }
  }
}
