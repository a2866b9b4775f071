import type { CacheEntry } from './cache-entry.ts';

/** Entries in the order of their last use, linked through the entries themselves: moving one allocates nothing. */
export class LruList {
  bytes = 0;
  length = 0;
  private newest: CacheEntry | undefined;
  private oldest: CacheEntry | undefined;

  get leastRecent(): CacheEntry | undefined {
    return this.oldest;
  }

  /** Counts it with that many bytes, as the most recent one. */
  add(entry: CacheEntry, bytes: number): void {
    entry.bytes = bytes;
    this.bytes += bytes;
    this.length++;
    this.link(entry);
  }

  remove(entry: CacheEntry): void {
    this.unlink(entry);
    this.bytes -= entry.bytes;
    this.length--;
    entry.bytes = 0;
  }

  /** Makes it the most recent one. */
  touch(entry: CacheEntry): void {
    if (this.newest === entry) return;
    this.unlink(entry);
    this.link(entry);
  }

  resize(entry: CacheEntry, bytes: number): void {
    this.bytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  private link(entry: CacheEntry): void {
    entry.older = this.newest;
    entry.newer = undefined;
    if (this.newest !== undefined) this.newest.newer = entry;
    this.newest = entry;
    this.oldest ??= entry;
  }

  private unlink(entry: CacheEntry): void {
    if (entry.newer === undefined) this.newest = entry.older;
    else entry.newer.older = entry.older;
    if (entry.older === undefined) this.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    entry.newer = undefined;
    entry.older = undefined;
  }
}
