import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';
import type { CacheEntry } from './cache-entry.ts';
import { CodingChooser } from './content-coding.ts';
import { DiskTempo } from './disk-tempo.ts';
import { HotFiles } from './hot-files.ts';
import type { Representation } from './representation.ts';
import { SecondChanceList } from './second-chance-list.ts';

export interface FileCacheLimits {
  /** Memory for everything that is kept, overhead included; 0 keeps nothing. */
  readonly maxBytes: number;
  /** Files larger than that are not kept but streamed. */
  readonly maxFileBytes: number;
  /** But those up to this size are kept while they are asked for often; 0 or left out for none. */
  readonly maxHotFileBytes?: number;
  /** An entry is trusted for so long, then compared with the disk. */
  readonly revalidateMs: number;
}

/** The part of the bound that paths without a file may take, so that a flood of them does not push the files out. */
const absentShare = 1 / 16;
/** The part that large files may take which are asked for often, with those that slow clients hold. */
const hotShare = 1 / 2;

/** What one handler sees of the cache: its paths, and who waits for which of them. */
export interface CachePartition {
  readonly identity: string;
  readonly entries: Map<string, CacheEntry>;
  /** Requests that wait for a path being looked up; the same path is never looked up twice at a time. */
  readonly pending: Map<string, PendingRequest[]>;
}

/** Called when the path that a request waits for is known, or its contents are. Must not throw. */
export interface PendingRequest {
  loaded(entry: CacheEntry): void;
  /** The representation of that index could not be read. */
  failed(entry: CacheEntry, index: number, error: unknown): void;
}

/**
 * Files in memory, per worker, under one bound for all handlers, those leaving first that were not used for longest, roughly. What a handler
 * with the same settings put in before a reload is found by the one after it.
 */
export class FileCache {
  limits: FileCacheLimits;
  /** Responses from memory, and from disk. */
  readonly hits: Counter;
  readonly misses: Counter;
  /** Of looks at files and of reading small ones; of reading large ones. */
  readonly tempo = new DiskTempo();
  readonly streamTempo = new DiskTempo();
  /** For all handlers at once, as they meet the same clients. */
  readonly codings = new CodingChooser();
  private readonly files = new SecondChanceList();
  private readonly absent = new SecondChanceList();
  private readonly partitions = new Map<string, CachePartition>();
  private readonly hot = new HotFiles();
  /** Contents that left the cache while slow clients still take them; they count against the bound. */
  private pinnedBytes = 0;
  /** Contents being read. */
  private readingBytes = 0;
  private readonly bytesGauge: Gauge;
  private readonly entriesGauge: Gauge;

  constructor(limits: FileCacheLimits, recorder: Recorder) {
    this.limits = limits;
    this.hits = recorder.counter(metricNames.fileCacheRequests, { result: 'memory' });
    this.misses = recorder.counter(metricNames.fileCacheRequests, { result: 'disk' });
    this.bytesGauge = recorder.gauge(metricNames.fileCacheBytes, {});
    this.entriesGauge = recorder.gauge(metricNames.fileCacheEntries, {});
  }

  /** Takes new limits, at reload. */
  configure(limits: FileCacheLimits): void {
    const { maxFileBytes, maxHotFileBytes = 0 } = this.limits;
    const smallerFiles = limits.maxFileBytes < maxFileBytes || (limits.maxHotFileBytes ?? 0) < maxHotFileBytes;
    this.limits = limits;
    if (smallerFiles) this.clear();
    this.evict();
  }

  /** Memory held now, pinned contents included. */
  get bytes(): number {
    return this.files.bytes + this.absent.bytes + this.pinnedBytes;
  }

  get entryCount(): number {
    return this.files.length + this.absent.length;
  }

  /** @param identity everything that the responses of a handler depend on */
  partition(identity: string): CachePartition {
    let partition = this.partitions.get(identity);
    if (partition === undefined) {
      partition = { identity, entries: new Map(), pending: new Map() };
      this.partitions.set(identity, partition);
    }
    return partition;
  }

  /** Keeps an entry if the bound allows it; an older one of the same key leaves. */
  insert(entry: CacheEntry): void {
    const { partition, key } = entry;
    const former = partition.entries.get(key);
    if (former !== undefined) this.remove(former);
    const bytes = entry.measure();
    if (bytes > this.limits.maxBytes) return;
    // The partition was forgotten when its last entry left.
    this.partitions.set(partition.identity, this.partitions.get(partition.identity) ?? partition);
    partition.entries.set(key, entry);
    this.listOf(entry).add(entry, bytes);
    this.evict();
  }

  /** Counts an entry anew after contents were put into it. */
  measureAgain(entry: CacheEntry): void {
    if (entry.bytes === 0) return;
    this.listOf(entry).resize(entry, entry.measure());
    this.evict();
  }

  remove(entry: CacheEntry): void {
    if (entry.bytes === 0) return;
    this.listOf(entry).remove(entry);
    const { partition } = entry;
    if (partition.entries.get(entry.key) === entry) partition.entries.delete(entry.key);
    if (partition.entries.size === 0) this.partitions.delete(partition.identity);
    for (const representation of [...entry.representations, ...(entry.made?.representations ?? [])]) {
      if (representation === undefined) continue;
      if (representation.pins > 0) this.pinnedBytes += representation.size;
      this.hot.forget(representation);
    }
    this.report();
  }

  /**
   * Asks for room to read contents into memory, beside those being read and those that slow clients hold.
   * @param askedBytes how much of them is to be sent
   * @returns false when they must be streamed instead; otherwise `endReading` follows
   */
  beginReading(entry: CacheEntry, representation: Representation, askedBytes: number): boolean {
    const { maxBytes, maxFileBytes } = this.limits;
    const { size } = representation;
    if (size + this.readingBytes + this.pinnedBytes > maxBytes) return false;
    if (size > maxFileBytes && !this.isHot(entry, representation, askedBytes)) return false;
    this.readingBytes += size;
    return true;
  }

  /** @param whole whether they are in memory now */
  endReading(representation: Representation, whole: boolean): void {
    this.readingBytes -= representation.size;
    if (!whole) this.hot.forget(representation);
  }

  /** A response is sent from contents that are large. */
  sent(representation: Representation): void {
    if (representation.size > this.limits.maxFileBytes) this.hot.used(representation);
  }

  /** Says that a slow client holds the contents. */
  pin(entry: CacheEntry, representation: Representation): void {
    if (entry.bytes === 0 && representation.pins === 0) this.pinnedBytes += representation.size;
    representation.pins++;
  }

  unpin(entry: CacheEntry, representation: Representation): void {
    representation.pins--;
    if (entry.bytes === 0 && representation.pins === 0) this.pinnedBytes -= representation.size;
  }

  private isHot(entry: CacheEntry, representation: Representation, askedBytes: number): boolean {
    const { maxBytes, maxHotFileBytes = 0 } = this.limits;
    // What is not kept itself would be read again for each request.
    if (entry.bytes === 0) return false;
    const bounds = { maxFileBytes: maxHotFileBytes, maxBytes: maxBytes * hotShare - this.pinnedBytes };
    return this.hot.admits(entry, representation, askedBytes, bounds, (other) => this.measureAgain(other));
  }

  private listOf(entry: CacheEntry): SecondChanceList {
    return entry.outcome.kind === 'absent' ? this.absent : this.files;
  }

  private evict(): void {
    const { maxBytes } = this.limits;
    while (this.absent.bytes > maxBytes * absentShare) this.removeNext(this.absent);
    while (this.bytes > maxBytes && this.files.length > 0) this.removeNext(this.files);
    this.report();
  }

  private clear(): void {
    for (const list of [this.files, this.absent]) while (list.length > 0) this.removeNext(list);
  }

  private removeNext(list: SecondChanceList): void {
    const { next } = list;
    if (next !== undefined) this.remove(next);
  }

  private report(): void {
    this.bytesGauge.set(this.bytes);
    this.entriesGauge.set(this.entryCount);
  }
}
