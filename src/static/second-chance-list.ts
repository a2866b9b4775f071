import type { CacheEntry } from './cache-entry.ts';

/** Else one eviction would go through a hundred thousand entries that were all used. */
const maxPassedOver = 64;

/**
 * Entries in the order in which they are to leave, linked through the entries themselves: moving one allocates nothing. Using
 * one only marks it; when its turn to leave has come, it goes to the back instead, once for all uses since. Moving it at each use
 * would write to its neighbours and theirs, which are in no cache of the processor where there are many.
 */
export class SecondChanceList {
  bytes = 0;
  length = 0;
  private newest: CacheEntry | undefined;
  private oldest: CacheEntry | undefined;

  /** The one to leave next: the first that was not used since it was added or last passed over, as far as that is found soon. */
  get next(): CacheEntry | undefined {
    for (let passed = 0; passed < maxPassedOver && this.oldest?.wasUsed === true; passed++) {
      const entry = this.oldest;
      entry.wasUsed = false;
      this.unlink(entry);
      this.link(entry);
    }
    return this.oldest;
  }

  /** Counts it with that many bytes, as the last one to leave. */
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
