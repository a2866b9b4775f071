import { crc32 } from 'node:zlib';
import type { PurgeTarget } from '../cache/purge.ts';

/** What the index knows of one file. */
export interface IndexedFile {
  /** 32 hexadecimal digits. */
  readonly hash: string;
  /** What it takes on disk, a multiple of 4096. */
  readonly bytes: number;
  /** Seconds since 1970. */
  readonly usedAt: number;
  /** Primary key: host, path and query, then behind a space what else counts. */
  readonly key: string;
  readonly tags: readonly string[];
}

const blockBytes = 4096;
/** No entry, no tag. Numbers of both begin at 1. */
const none = 0;
const firstCapacity = 1024;
/** How far an entry is brought to its place: reports are at most seconds old, and order need not be exact. */
const maxSteps = 256;

/**
 * All files of a zone by hash and in the order of their last use, without an object for any: some 60 bytes an entry and 8 a
 * tag, in arrays that double. Host, URL and tags are there as 32 bits each, enough to find candidates for a purge: what is in
 * the file decides.
 */
export class CacheKeeperIndex {
  /** Bytes of all files. */
  bytes = 0;
  length = 0;
  private capacity = firstCapacity;
  private hashes = new Uint32Array(4 * firstCapacity);
  private blocks = new Uint32Array(firstCapacity);
  private usedAt = new Uint32Array(firstCapacity);
  /** When the last use was that the file itself says. */
  private notedAt = new Uint32Array(firstCapacity);
  private older = new Uint32Array(firstCapacity);
  private newer = new Uint32Array(firstCapacity);
  private hosts = new Uint32Array(firstCapacity);
  private urls = new Uint32Array(firstCapacity);
  private firstTag = new Uint32Array(firstCapacity);
  /** In which round a scan met it last. */
  private seenIn = new Uint8Array(firstCapacity);
  private round = 0;
  /** Number of the entry by its hash, open addressing, at most half full. */
  private table = new Uint32Array(2 * firstCapacity);
  private newest = none;
  private oldest = none;
  private unused = none;
  private highest = none;
  private tagHashes = new Uint32Array(firstCapacity);
  private nextTag = new Uint32Array(firstCapacity);
  private unusedTag = none;
  private highestTag = none;

  /** Memory of all arrays. */
  get memoryBytes(): number {
    const arrays = [this.hashes, this.blocks, this.usedAt, this.notedAt, this.older, this.newer, this.hosts];
    const more = [this.seenIn, this.urls, this.firstTag, this.table, this.tagHashes, this.nextTag];
    return [...arrays, ...more].reduce<number>((sum, { byteLength }) => sum + byteLength, 0);
  }

  has(hash: string): boolean {
    return this.find(hash) !== none;
  }

  bytesOf(hash: string): number {
    return (this.blocks[this.find(hash)] as number) * blockBytes;
  }

  /** Puts a file in, or takes what is said of one that is there; its last use only grows. @returns whether it was there */
  set(file: IndexedFile): boolean {
    let entry = this.find(file.hash);
    const isKnown = entry !== none;
    if (isKnown) {
      this.seenIn[entry] = this.round;
      this.bytes -= (this.blocks[entry] as number) * blockBytes;
      this.freeTags(entry);
    } else {
      entry = this.add(file.hash);
    }
    this.blocks[entry] = Math.ceil(file.bytes / blockBytes);
    this.bytes += (this.blocks[entry] as number) * blockBytes;
    const { host, url } = partsOf(file.key);
    this.hosts[entry] = crc32(host);
    this.urls[entry] = crc32(url);
    this.firstTag[entry] = none;
    for (const tag of file.tags) this.addTag(entry, crc32(tag));
    if (!isKnown) this.notedAt[entry] = file.usedAt;
    this.moveTo(entry, file.usedAt);
    return isKnown;
  }

  /** As `set` for one of many that come in any order: it counts as the oldest until `sort` was called. */
  load(file: IndexedFile): void {
    if (this.see(file.hash)) return;
    this.set({ ...file, usedAt: 0 });
    const entry = this.find(file.hash);
    this.usedAt[entry] = file.usedAt;
    this.notedAt[entry] = file.usedAt;
  }

  /** Brings all into the order of their last use. */
  sort(): void {
    const order = new Float64Array(this.length);
    let earliest = Number.POSITIVE_INFINITY;
    for (let entry = this.oldest; entry !== none; entry = this.newer[entry] as number) {
      earliest = Math.min(earliest, this.usedAt[entry] as number);
    }
    let count = 0;
    for (let entry = this.oldest; entry !== none; entry = this.newer[entry] as number) {
      // Time and number in one, exact for as long as the product is below 2^53: the differences of times are small.
      order[count++] = ((this.usedAt[entry] as number) - earliest) * this.capacity + entry;
    }
    order.sort();
    this.oldest = none;
    this.newest = none;
    for (const each of order) this.link(each % this.capacity, this.newest);
  }

  /** @returns whether it is known */
  use(hash: string, usedAt: number): boolean {
    const entry = this.find(hash);
    if (entry === none) return false;
    this.moveTo(entry, usedAt);
    return true;
  }

  /** @returns what it took on disk; 0 when it is not known */
  remove(hash: string): number {
    const entry = this.find(hash);
    if (entry === none) return 0;
    const bytes = (this.blocks[entry] as number) * blockBytes;
    this.bytes -= bytes;
    this.length--;
    this.freeTags(entry);
    this.unlink(entry);
    this.removeFromTable(entry);
    this.newer[entry] = this.unused;
    this.unused = entry;
    return bytes;
  }

  /** The one whose last use is longest ago. */
  leastRecent(): { readonly hash: string; readonly usedAt: number } | undefined {
    if (this.oldest === none) return undefined;
    return { hash: this.hashOf(this.oldest), usedAt: this.usedAt[this.oldest] as number };
  }

  /**
   * Whether the file should be told of its last use: when what it says is that much older.
   * It counts as told.
   */
  shouldNote(hash: string, seconds: number): boolean {
    const entry = this.find(hash);
    if (entry === none || (this.usedAt[entry] as number) - (this.notedAt[entry] as number) < seconds) return false;
    this.notedAt[entry] = this.usedAt[entry] as number;
    return true;
  }

  /** A scan begins: what it does not `see`, and what was not put in meanwhile, is `unseen` then. */
  beginRound(): void {
    this.round = (this.round + 1) & 255;
  }

  /** @returns whether it is known */
  see(hash: string): boolean {
    const entry = this.find(hash);
    this.seenIn[entry] = this.round;
    return entry !== none;
  }

  unseen(): string[] {
    const hashes: string[] = [];
    for (let entry = this.oldest; entry !== none; entry = this.newer[entry] as number) {
      if (this.seenIn[entry] !== this.round) hashes.push(this.hashOf(entry));
    }
    return hashes;
  }

  /** Hashes of all files, oldest use first. */
  all(): string[] {
    const hashes: string[] = [];
    for (let entry = this.oldest; entry !== none; entry = this.newer[entry] as number) hashes.push(this.hashOf(entry));
    return hashes;
  }

  /** Files that a purge may concern; for a prefix all of its host. */
  candidates(target: PurgeTarget): string[] {
    const concerns = this.filterFor(target);
    const hashes: string[] = [];
    for (let entry = this.oldest; entry !== none; entry = this.newer[entry] as number) {
      if (concerns(entry)) hashes.push(this.hashOf(entry));
    }
    return hashes;
  }

  private filterFor(target: PurgeTarget): (entry: number) => boolean {
    switch (target.kind) {
      case 'everything':
        return () => true;
      case 'tag': {
        const tag = crc32(target.tag);
        return (entry) => this.hasTag(entry, tag);
      }
      case 'url': {
        const url = crc32(target.host + target.path);
        return (entry) => this.urls[entry] === url;
      }
      case 'host':
      case 'prefix': {
        const host = crc32(target.host);
        return (entry) => this.hosts[entry] === host;
      }
    }
  }

  private hasTag(entry: number, hash: number): boolean {
    for (let tag = this.firstTag[entry] as number; tag !== none; tag = this.nextTag[tag] as number) {
      if (this.tagHashes[tag] === hash) return true;
    }
    return false;
  }

  private addTag(entry: number, hash: number): void {
    let tag = this.unusedTag;
    if (tag !== none) this.unusedTag = this.nextTag[tag] as number;
    else {
      tag = ++this.highestTag;
      if (tag === this.tagHashes.length) {
        this.tagHashes = doubled(this.tagHashes);
        this.nextTag = doubled(this.nextTag);
      }
    }
    this.tagHashes[tag] = hash;
    this.nextTag[tag] = this.firstTag[entry] as number;
    this.firstTag[entry] = tag;
  }

  private freeTags(entry: number): void {
    for (let tag = this.firstTag[entry] as number; tag !== none; ) {
      const next = this.nextTag[tag] as number;
      this.nextTag[tag] = this.unusedTag;
      this.unusedTag = tag;
      tag = next;
    }
    this.firstTag[entry] = none;
  }

  private add(hash: string): number {
    let entry = this.unused;
    if (entry !== none) this.unused = this.newer[entry] as number;
    else {
      entry = ++this.highest;
      if (entry === this.capacity) this.grow();
    }
    for (let word = 0; word < 4; word++) this.hashes[4 * entry + word] = wordOf(hash, word);
    this.length++;
    this.usedAt[entry] = 0;
    this.seenIn[entry] = this.round;
    this.table[this.slotFor(hash)] = entry;
    this.link(entry, none);
    return entry;
  }

  private grow(): void {
    this.capacity *= 2;
    this.hashes = doubled(this.hashes);
    this.blocks = doubled(this.blocks);
    this.usedAt = doubled(this.usedAt);
    this.notedAt = doubled(this.notedAt);
    this.older = doubled(this.older);
    this.newer = doubled(this.newer);
    this.hosts = doubled(this.hosts);
    this.urls = doubled(this.urls);
    this.firstTag = doubled(this.firstTag);
    const seenIn = new Uint8Array(this.capacity);
    seenIn.set(this.seenIn);
    this.seenIn = seenIn;
    this.table = new Uint32Array(2 * this.capacity);
    for (let entry = this.oldest; entry !== none; entry = this.newer[entry] as number) {
      this.table[this.freeSlot(this.hashes[4 * entry] as number)] = entry;
    }
  }

  private find(hash: string): number {
    return this.table[this.slotFor(hash)] as number;
  }

  /** Where the entry is in the table, or would be. */
  private slotFor(hash: string): number {
    const words = [wordOf(hash, 0), wordOf(hash, 1), wordOf(hash, 2), wordOf(hash, 3)];
    const mask = this.table.length - 1;
    let slot = (words[0] as number) & mask;
    for (let entry = this.table[slot] as number; entry !== none; entry = this.table[slot] as number) {
      const at = 4 * entry;
      if (words.every((word, index) => this.hashes[at + index] === word)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private freeSlot(word: number): number {
    const mask = this.table.length - 1;
    let slot = word & mask;
    while (this.table[slot] !== none) slot = (slot + 1) & mask;
    return slot;
  }

  /** Those behind it move up where they may, so that no look-up ends at the gap. */
  private removeFromTable(entry: number): void {
    const mask = this.table.length - 1;
    let gap = (this.hashes[4 * entry] as number) & mask;
    while (this.table[gap] !== entry) gap = (gap + 1) & mask;
    this.table[gap] = none;
    for (let slot = (gap + 1) & mask; this.table[slot] !== none; slot = (slot + 1) & mask) {
      const moved = this.table[slot] as number;
      const home = (this.hashes[4 * moved] as number) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      this.table[gap] = moved;
      this.table[slot] = none;
      gap = slot;
    }
  }

  /** Sets a last use that is not before the present one, and moves the entry to where it belongs: near the newest as a rule. */
  private moveTo(entry: number, usedAt: number): void {
    const time = Math.max(usedAt, this.usedAt[entry] as number);
    this.usedAt[entry] = time;
    if (time === 0) return;
    this.unlink(entry);
    let before = this.newest;
    for (let step = 0; step < maxSteps && before !== none && (this.usedAt[before] as number) > time; step++) {
      before = this.older[before] as number;
    }
    this.link(entry, before);
  }

  /** Behind `before` in the order of use; `none` makes it the oldest. */
  private link(entry: number, before: number): void {
    const after = before === none ? this.oldest : (this.newer[before] as number);
    this.older[entry] = before;
    this.newer[entry] = after;
    if (before === none) this.oldest = entry;
    else this.newer[before] = entry;
    if (after === none) this.newest = entry;
    else this.older[after] = entry;
  }

  private unlink(entry: number): void {
    const before = this.older[entry] as number;
    const after = this.newer[entry] as number;
    if (before === none) this.oldest = after;
    else this.newer[before] = after;
    if (after === none) this.newest = before;
    else this.older[after] = before;
  }

  private hashOf(entry: number): string {
    let text = '';
    for (let word = 0; word < 4; word++) {
      text += (this.hashes[4 * entry + word] as number).toString(16).padStart(8, '0');
    }
    return text;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function wordOf(hash: string, word: number): number {
  return Number.parseInt(hash.slice(8 * word, 8 * word + 8), 16);
}

function partsOf(key: string): { readonly host: string; readonly url: string } {
  const end = key.indexOf(' ');
  const url = end === -1 ? key : key.slice(0, end);
  const query = url.indexOf('?');
  return { host: url.slice(0, Math.max(url.indexOf('/'), 0)), url: query === -1 ? url : url.slice(0, query) };
}
