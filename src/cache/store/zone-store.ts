import type { Logger } from '../../log/logger.ts';
import { metricNames } from '../../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../../metrics/recorder.ts';
import type { ZonePurges } from '../purge-orders.ts';
import type { EntryWriter, FileBody, ResponseStore, StoreEntry } from '../response-store.ts';
import type { StoredResponse, VaryMarker } from '../stored-response.ts';
import { DiskStore } from './disk-store.ts';
import type { GrowingFile } from './growing-file.ts';
import { HeldEntry, HeldMarker } from './memory-item.ts';
import { MemoryStore } from './memory-store.ts';
import { nodeStoreDisk, type StoreDisk } from './store-disk.ts';
import type { CacheOrder, CacheReport } from './store-messages.ts';
import { StoreWriter, type WriterOwner } from './store-writer.ts';
import type { ZoneConfig } from './zone-config.ts';

/** What a store needs of its worker. */
export interface StoreResources {
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** To the primary's keeper. */
  readonly send: (reports: readonly CacheReport[]) => void;
  /** The orders to purge that concern the zone. */
  readonly purges: ZonePurges;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
  readonly disk?: StoreDisk;
}

/** The store of one zone in one worker: memory in front of disk, or memory alone. */
export class ZoneStore implements ResponseStore, WriterOwner {
  readonly name: string;
  readonly memory: MemoryStore;
  private readonly purges: ZonePurges;
  private readonly send: StoreResources['send'];
  private readonly stored: Counter;
  private readonly bytes: Gauge;
  private readonly entries: Gauge;
  private readonly disk: DiskStore;
  private config: ZoneConfig;
  private closed = false;

  constructor(config: ZoneConfig, { recorder, logger, send, purges, now, disk }: StoreResources) {
    const zone = config.name;
    this.name = zone;
    this.config = config;
    this.purges = purges;
    this.send = send;
    this.memory = new MemoryStore(config.memorySize);
    this.stored = recorder.counter(metricNames.cacheStored, { zone });
    this.bytes = recorder.gauge(metricNames.cacheBytes, { zone, store: 'memory' });
    this.entries = recorder.gauge(metricNames.cacheEntries, { zone, store: 'memory' });
    this.disk = new DiskStore({
      config,
      memory: this.memory,
      recorder,
      logger,
      report: (report) => send([{ zone, ...report }]),
      now: now ?? (() => performance.now()),
      disk: disk ?? nodeStoreDisk,
    });
  }

  get isDurable(): boolean {
    return this.config.directory !== undefined;
  }

  get memoryEntry(): number {
    return this.config.memoryEntry;
  }

  /** Takes new settings, at reload. A folder that changes is the primary's affair, which says when the new one may be used. */
  configure(config: ZoneConfig): void {
    this.config = config;
    this.memory.configure(config.memorySize);
    this.disk.configure(config);
  }

  /** What the primary's keeper has to say. */
  receive(order: CacheOrder): void {
    this.disk.receive(order);
    for (const storeKey of order.forgotten ?? []) this.memory.remove(storeKey);
  }

  peek(storeKey: string): StoreEntry | VaryMarker | undefined {
    const item = this.memory.get(storeKey);
    if (item === undefined) return undefined;
    if (item instanceof HeldEntry) {
      if (item.judgedAt !== this.purges.version && !this.judge(item)) return undefined;
      this.disk.used(item);
      if (item.contents !== undefined) item.source = 'memory';
      return item;
    }
    this.disk.used(item);
    return item instanceof HeldMarker ? item : undefined;
  }

  find(storeKey: string, found: (entry: StoreEntry | VaryMarker | undefined) => void): void {
    const held = this.peek(storeKey);
    this.disk.find(storeKey, held, (entry) => {
      if (!(entry instanceof HeldEntry)) return found(entry);
      if (entry.judgedAt !== this.purges.version && !this.judge(entry)) return found(undefined);
      this.disk.used(entry);
      found(entry);
    });
  }

  begin(
    storeKey: string,
    response: Omit<StoredResponse, 'bodyLength'>,
    bodyLength: number | undefined,
  ): EntryWriter | undefined {
    if (this.closed) return undefined;
    const writer = new StoreWriter(this, storeKey, response, bodyLength);
    return writer.failed ? undefined : writer;
  }

  mark(storeKey: string, marker: VaryMarker): void {
    this.memory.put(new HeldMarker(storeKey, marker));
    this.disk.mark(storeKey, marker);
  }

  renew(storeKey: string, entry: StoreEntry, response: StoredResponse): void {
    if (!(entry instanceof HeldEntry)) return;
    const isKept = entry.bytes > 0;
    const renewed = entry.renewed(response);
    // The place of one that was removed meanwhile, or replaced, is not for it.
    if (isKept && this.memory.get(storeKey) === entry) this.disk.place(renewed);
    this.disk.renew(storeKey, entry, response);
  }

  remove(storeKey: string): void {
    this.memory.remove(storeKey);
    this.disk.remove(storeKey);
    this.send([{ zone: this.name, removed: [storeKey] }]);
  }

  /** Lets go of everything in memory that a hard purge concerns. */
  dropPurged(): void {
    for (const item of this.memory) if (item instanceof HeldEntry) this.judge(item);
  }

  /** Once a second: reports uses and what is not needed, gives up on waits, sets the gauges. */
  settle(): void {
    this.disk.settle();
    this.bytes.set(this.memory.bytes);
    this.entries.set(this.memory.length);
  }

  /** Nothing is stored any more; what is open is closed as soon as nobody reads from it. */
  close(): void {
    this.closed = true;
    for (const item of this.memory) this.memory.drop(item);
    this.disk.close();
    this.bytes.set(Number.NaN);
    this.entries.set(Number.NaN);
  }

  grow(writer: StoreWriter): GrowingFile | undefined {
    return this.disk.grow(writer);
  }

  keep(writer: StoreWriter, body: Buffer, done: (entry: StoreEntry | undefined) => void): void {
    const response: StoredResponse = { ...writer.response, bodyLength: body.length };
    if (!this.mayKeep(response)) return void setImmediate(done, undefined);
    const entry = new HeldEntry({
      storeKey: writer.storeKey,
      response: ownedResponse(response),
      contents: body,
      source: 'memory',
      file: undefined,
      store: this.memory,
      open: openNothing,
    });
    entry.judgedAt = this.purges.version;
    const isKept = this.memory.put(entry);
    this.disk.save(
      entry,
      () => this.mayKeep(response),
      (isSaved) => {
        if (isKept || isSaved) this.stored.add(1);
        done(isKept || isSaved ? entry : undefined);
      },
    );
  }

  keepFile(writer: StoreWriter, file: GrowingFile, done: (entry: StoreEntry | undefined) => void): void {
    const response: StoredResponse = ownedResponse({ ...writer.response, bodyLength: writer.length });
    this.disk.finish(
      writer.storeKey,
      response,
      file,
      () => this.mayKeep(response),
      (entry) => {
        if (entry !== undefined) this.stored.add(1);
        done(entry);
      },
    );
  }

  private mayKeep(response: StoredResponse): boolean {
    return !this.closed && this.purges.mayKeep(response);
  }

  /** @returns false for an entry that is not to be found any more */
  private judge(entry: HeldEntry): boolean {
    const verdict = this.purges.concerns(entry.response);
    entry.judgedAt = this.purges.version;
    // It stays so when the order is forgotten: another head is another entry.
    if (verdict === 'stale') entry.purged = true;
    if (verdict !== 'gone') return true;
    entry.judgedAt = -1;
    this.memory.drop(entry);
    return false;
  }
}

/** The block in memory of its own: what it came in may be a piece of something much larger. */
function ownedResponse(response: StoredResponse): StoredResponse {
  const block = Buffer.allocUnsafeSlow(response.block.length);
  response.block.copy(block);
  return { ...response, block };
}

function openNothing(_entry: StoreEntry, opened: (body: FileBody | undefined) => void): void {
  opened(undefined);
}
