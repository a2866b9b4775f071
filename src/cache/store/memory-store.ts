import type { HeldEntry, MemoryItem } from './memory-item.ts';

/**
 * What one zone has in the memory of one worker, bounded in bytes, least recently used first to leave. A look-up is one
 * access to a table and a few pointers; contents lie outside of V8's heap.
 */
export class MemoryStore {
  /** Told when something was pushed out by the bound. */
  onEvicted: (() => void) | undefined;
  private maxBytes: number;
  private readonly items = new Map<string, MemoryItem>();
  private newest: MemoryItem | undefined;
  private oldest: MemoryItem | undefined;
  private itemBytes = 0;
  /** Of entries that left while slow clients hold them. */
  private pinnedBytes = 0;
  /** Of bodies that come in. */
  private gatheredBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Everything that counts against the bound. */
  get bytes(): number {
    return this.itemBytes + this.pinnedBytes + this.gatheredBytes;
  }

  get length(): number {
    return this.items.size;
  }

  /** Takes a new bound, at reload. */
  configure(maxBytes: number): void {
    this.maxBytes = maxBytes;
    this.evict();
  }

  /** The item, now the most recent one. */
  get(storeKey: string): MemoryItem | undefined {
    const item = this.items.get(storeKey);
    if (item !== undefined && item !== this.newest) {
      this.unlink(item);
      this.link(item);
    }
    return item;
  }

  /** Puts it in the place of what had its key. @returns false when it alone is too much */
  put(item: MemoryItem): boolean {
    this.remove(item.storeKey);
    const bytes = item.measure();
    if (bytes > this.maxBytes - this.pinnedBytes - this.gatheredBytes) return false;
    item.bytes = bytes;
    this.itemBytes += bytes;
    this.items.set(item.storeKey, item);
    this.link(item);
    this.evict();
    return true;
  }

  remove(storeKey: string): void {
    const item = this.items.get(storeKey);
    if (item !== undefined) this.drop(item);
  }

  /** Takes out that very item, not one that has come into its place. */
  drop(item: MemoryItem): void {
    if (item.bytes === 0) return;
    const entry = item as Partial<HeldEntry>;
    if (entry.pins !== undefined && entry.pins > 0) this.pinnedBytes += entry.contents?.length ?? 0;
    this.unlink(item);
    this.items.delete(item.storeKey);
    this.itemBytes -= item.bytes;
    item.bytes = 0;
    item.left();
  }

  /** Asks for memory for a body that comes in; what is in the store makes room. @returns false when there is none */
  gather(bytes: number): boolean {
    if (bytes > this.maxBytes - this.pinnedBytes - this.gatheredBytes) return false;
    this.gatheredBytes += bytes;
    this.evict();
    return true;
  }

  gathered(bytes: number): void {
    this.gatheredBytes -= bytes;
  }

  pin(entry: HeldEntry): void {
    if (entry.pins++ === 0 && entry.bytes === 0) this.pinnedBytes += entry.contents?.length ?? 0;
  }

  unpin(entry: HeldEntry): void {
    if (--entry.pins === 0 && entry.bytes === 0) this.pinnedBytes -= entry.contents?.length ?? 0;
  }

  /** In the order of their last use, the oldest first; the item given out may be dropped meanwhile. */
  *[Symbol.iterator](): Generator<MemoryItem> {
    for (let item = this.oldest; item !== undefined; ) {
      const next: MemoryItem | undefined = item.newer;
      yield item;
      item = next;
    }
  }

  private evict(): void {
    while (this.bytes > this.maxBytes && this.oldest !== undefined) {
      this.drop(this.oldest);
      this.onEvicted?.();
    }
  }

  private link(item: MemoryItem): void {
    item.older = this.newest;
    item.newer = undefined;
    if (this.newest !== undefined) this.newest.newer = item;
    this.newest = item;
    this.oldest ??= item;
  }

  private unlink(item: MemoryItem): void {
    if (item.newer === undefined) this.newest = item.older;
    else item.newer.older = item.older;
    if (item.older === undefined) this.oldest = item.newer;
    else item.older.newer = item.newer;
    item.newer = undefined;
    item.older = undefined;
  }
}
