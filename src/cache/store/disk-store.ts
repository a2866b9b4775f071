import type { Logger } from '../../log/logger.ts';
import type { Recorder } from '../../metrics/recorder.ts';
import type { FileBody, StoreEntry } from '../response-store.ts';
import type { StoredResponse, VaryMarker } from '../stored-response.ts';
import { DiskSaver, markerHead, noBody } from './disk-saver.ts';
import { EntryFile, type EntryFileOwner } from './entry-file.ts';
import { encodeSlot, fitsSlot, slotOffset } from './entry-format.ts';
import { entryHash, hashLength } from './entry-key.ts';
import { type LookedUp, lookUp, readBody } from './entry-lookup.ts';
import type { GrowingFile } from './growing-file.ts';
import { encodeHead } from './head-codec.ts';
import { HeldEntry, HeldMarker, type MemoryItem } from './memory-item.ts';
import type { MemoryStore } from './memory-store.ts';
import { SpaceLease } from './space-lease.ts';
import { type StoreDisk, writeFully } from './store-disk.ts';
import { blamesFile, StoreFailures } from './store-failures.ts';
import type { CacheOrder, CacheReport, StoredFile } from './store-messages.ts';
import { UseReports } from './use-reports.ts';
import { WarmReads } from './warm-reads.ts';
import type { ZoneConfig } from './zone-config.ts';
import { ZoneDisk } from './zone-disk.ts';

/** Files of large bodies that are kept open for the next request. */
const maxOpenFiles = 256;
/** What was stored is told in one message for all within this time. */
const storedDelayMs = 50;

type Found = (item: MemoryItem | undefined) => void;

export interface DiskStoreOptions {
  readonly config: ZoneConfig;
  readonly memory: MemoryStore;
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly report: (report: Omit<CacheReport, 'zone'>) => void;
  readonly now: () => number;
  readonly disk: StoreDisk;
}

/** The files behind the memory of a zone. Everything that goes wrong here is counted, and for others it is a miss. */
export class DiskStore implements EntryFileOwner {
  readonly disk: StoreDisk;
  readonly warmReads: WarmReads;
  private readonly memory: MemoryStore;
  private readonly report: DiskStoreOptions['report'];
  private readonly zone: ZoneDisk;
  private readonly saver: DiskSaver;
  private readonly uses: UseReports;
  private config: ZoneConfig;
  private readonly lookups = new Map<string, Found[]>();
  /** Entries with an open file, by hash; those that left the memory may still be among them. */
  private readonly openEntries = new Map<string, HeldEntry>();
  private stored: StoredFile[] = [];
  private storedTimer: NodeJS.Timeout | undefined;
  private recalled = false;

  constructor({ config, memory, recorder, logger, report, now, disk }: DiskStoreOptions) {
    this.config = config;
    this.memory = memory;
    this.report = report;
    this.disk = disk;
    this.warmReads = new WarmReads(now);
    const lease = new SpaceLease(config.diskSize, now);
    this.zone = new ZoneDisk(disk, new StoreFailures(config.name, recorder, logger, now), lease);
    this.zone.lease.onWanted = () => this.askForSpace();
    this.saver = new DiskSaver(this.zone, (file) => this.tellStored(file));
    this.uses = new UseReports(config.inactive, now);
  }

  configure(config: ZoneConfig): void {
    this.config = config;
    this.uses.configure(config.inactive);
    this.zone.lease.configure(config.diskSize);
  }

  receive({ disk, granted, recalled, evicted }: CacheOrder): void {
    if (disk !== undefined) this.zone.use(disk === 'closed' ? undefined : disk);
    if (granted !== undefined) this.zone.lease.granted(granted);
    if (recalled !== undefined) this.recalled = recalled;
    if (evicted === undefined) return;
    for (let start = 0; start < evicted.length; start += hashLength)
      this.forgetOpen(evicted.slice(start, start + hashLength));
  }

  used(item: MemoryItem): void {
    if (this.config.directory !== undefined) this.uses.add(item);
  }

  /**
   * What is on disk under a key, or `held` where that is as good.
   * @param found may be called at once
   */
  find(
    storeKey: string,
    held: MemoryItem | StoreEntry | VaryMarker | undefined,
    found: (item: HeldEntry | HeldMarker | undefined) => void,
  ): void {
    const give: Found = (item) => found(item instanceof HeldEntry || item instanceof HeldMarker ? item : undefined);
    const path = this.zone.isOpen ? this.zone.pathOf(entryHash(storeKey)) : undefined;
    if (path === undefined) return give(held as MemoryItem | undefined);
    const waiting = this.lookups.get(storeKey);
    if (waiting !== undefined) return void waiting.push(give);
    const lookups = [give];
    this.lookups.set(storeKey, lookups);
    this.look(storeKey, path, (item) => {
      this.lookups.delete(storeKey);
      const best = item ?? this.memory.get(storeKey);
      for (const each of lookups) each(best);
    });
  }

  grow({ storeKey, response, bodyLength }: GrowOptions): GrowingFile | undefined {
    const { directory, diskSize } = this.config;
    // One of that size would push out nearly everything else.
    if (directory === undefined || (bodyLength ?? 0) > diskSize / 2) return undefined;
    return this.saver.grow(storeKey, response, bodyLength);
  }

  /** Ends the file of a large body; its entry is in memory afterwards, without the body. */
  finish(
    storeKey: string,
    response: StoredResponse,
    file: GrowingFile,
    mayPublish: () => boolean,
    done: (entry: HeldEntry | undefined) => void,
  ): void {
    this.saver.finish(file, storeKey, response, mayPublish, (saved) => {
      if (saved === undefined) return done(undefined);
      const { fd, hash, layout } = saved;
      const opened = new EntryFile(this, { fd, hash, storeKey, layout, bodyLength: response.bodyLength });
      done(this.placeFile(opened, response));
    });
  }

  /** Writes an entry that is in memory. */
  save(entry: HeldEntry, mayPublish: () => boolean, done: (isSaved: boolean) => void): void {
    if (this.config.directory === undefined) return void setImmediate(done, false);
    const { storeKey, response, contents } = entry;
    this.saver.save({ kind: 'response', storeKey, response }, contents ?? noBody, mayPublish, (saved) => {
      if (saved !== undefined) {
        entry.bodyNumber = saved.layout.bodyNumber;
        entry.hash = saved.hash;
      }
      done(saved !== undefined);
    });
  }

  mark(storeKey: string, marker: VaryMarker): void {
    if (this.config.directory !== undefined) this.saver.save(markerHead(storeKey, marker), noBody, always, nothing);
  }

  /** Puts a renewed entry into the place of its former self in memory. */
  place(entry: HeldEntry): void {
    if (entry.file !== undefined && !entry.file.retain()) return;
    if (!this.memory.put(entry)) entry.left();
    else if (entry.file !== undefined) this.openEntries.set(entry.file.hash, entry);
  }

  /** Writes a renewed head into the file of an entry, if it still has that body. */
  renew(storeKey: string, { bodyNumber, contents }: HeldEntry, response: StoredResponse): void {
    const path = this.zone.isWritable ? this.zone.pathOf(entryHash(storeKey)) : undefined;
    if (path === undefined || bodyNumber === undefined) return;
    lookUp(
      this.disk,
      path,
      storeKey,
      (result) => {
        if (result.kind !== 'found') return;
        const { fd, layout, slot } = result.entry;
        const head = encodeHead({ kind: 'response', storeKey, response });
        if (layout.bodyNumber !== bodyNumber) return this.disk.close(fd);
        if (!fitsSlot(layout, head)) {
          this.disk.close(fd);
          return this.rewrite(storeKey, contents, response);
        }
        const index = slot.index === 0 ? 1 : 0;
        writeFully(this.disk, fd, [encodeSlot(head, slot.sequence + 1)], slotOffset(layout, index), (error) => {
          this.disk.close(fd);
          if (error !== null) this.zone.failures.notWritten(error);
        });
      },
      'renew',
    );
  }

  remove(storeKey: string): void {
    const path = this.zone.pathOf(entryHash(storeKey));
    if (path !== undefined) this.disk.unlink(path, nothing);
  }

  /** What is in a file is not what was written, or cannot be read: it is not found any more. */
  broken({ storeKey, hash }: Pick<EntryFile, 'storeKey' | 'hash'>, error: NodeJS.ErrnoException | 'corrupt'): void {
    if (error === 'corrupt') this.zone.failures.failed('corrupt', { key: storeKey });
    else this.zone.failures.failed('read', { key: storeKey, error });
    this.forgetOpen(hash);
    if (error !== 'corrupt' && !blamesFile(error)) return;
    const path = this.zone.pathOf(hash);
    if (path !== undefined) this.disk.unlink(path, () => this.report({ lost: [hash] }));
  }

  /** Once a second. */
  settle(): void {
    if (this.config.directory === undefined) return;
    const used = this.uses.collect();
    const returned = this.zone.lease.settle(this.recalled);
    this.recalled = false;
    if (!this.zone.isOpen || (used === '' && returned === 0)) return;
    this.report({ ...(used === '' ? {} : { used }), ...(returned === 0 ? {} : { returned }) });
  }

  close(): void {
    this.openEntries.clear();
    this.flushStored();
  }

  private look(storeKey: string, path: string, found: Found): void {
    const hash = entryHash(storeKey);
    lookUp(this.disk, path, storeKey, (result) => {
      if (result.kind === 'found') return this.load(storeKey, hash, result.entry, found);
      if (result.kind === 'corrupt') this.broken({ storeKey, hash }, 'corrupt');
      if (result.kind === 'failed') this.broken({ storeKey, hash }, result.error);
      found(undefined);
    });
  }

  private load(storeKey: string, hash: string, entry: LookedUp, found: Found): void {
    const { head } = entry.slot;
    const held = this.memory.get(storeKey);
    if (head.kind === 'marker') {
      this.disk.close(entry.fd);
      return found(this.loadMarker(new HeldMarker(storeKey, head.marker), held));
    }
    if (held instanceof HeldEntry && held.response.responseTime >= head.response.responseTime) {
      this.disk.close(entry.fd);
      return found(held);
    }
    if (entry.bodyLength <= this.config.memoryEntry && this.memory.gather(entry.bodyLength)) {
      return this.loadContents(storeKey, hash, entry, head.response, found);
    }
    const { fd, layout, bodyLength } = entry;
    const file = new EntryFile(this, { fd, hash, storeKey, layout, bodyLength });
    found(this.placeFile(file, withOwnBlock(head.response)));
  }

  private loadMarker(marker: HeldMarker, held: MemoryItem | undefined): MemoryItem {
    if (held instanceof HeldMarker && held.requestTime >= marker.requestTime) return held;
    this.memory.put(marker);
    return marker;
  }

  /** Block and body come to lie in one piece of memory. */
  private loadContents(storeKey: string, hash: string, entry: LookedUp, response: StoredResponse, found: Found): void {
    const room = response.block.length;
    const block = Buffer.from(response.block);
    readBody(this.disk, entry, room, (error, memory) => {
      this.disk.close(entry.fd);
      this.memory.gathered(entry.bodyLength);
      if (memory === undefined) {
        this.broken({ storeKey, hash }, error ?? 'corrupt');
        return found(undefined);
      }
      block.copy(memory);
      const loaded = this.newEntry(
        storeKey,
        { ...response, block: memory.subarray(0, room) },
        memory.subarray(room),
        undefined,
      );
      loaded.hash = hash;
      loaded.bodyNumber = entry.layout.bodyNumber;
      // Something newer may have come meanwhile.
      const held = this.memory.get(storeKey);
      if (held instanceof HeldEntry && held.response.responseTime >= response.responseTime) return found(held);
      this.memory.put(loaded);
      found(loaded);
    });
  }

  /** The entry of an open file, in memory without its body. */
  private placeFile(file: EntryFile, response: StoredResponse): HeldEntry {
    const entry = this.newEntry(file.storeKey, response, undefined, file);
    entry.hash = file.hash;
    entry.bodyNumber = file.layout.bodyNumber;
    if (this.memory.put(entry)) this.openEntries.set(file.hash, entry);
    // Nobody would close it: whoever wants the body opens it anew.
    else entry.left();
    if (this.openEntries.size > maxOpenFiles) this.closeOldest();
    return entry;
  }

  private newEntry(
    storeKey: string,
    response: StoredResponse,
    contents: Buffer | undefined,
    file: EntryFile | undefined,
  ): HeldEntry {
    return new HeldEntry({
      storeKey,
      response,
      contents,
      source: 'disk',
      file,
      store: this.memory,
      open: (entry, opened) => this.openBody(entry, opened),
    });
  }

  private openBody(entry: HeldEntry, opened: (body: FileBody | undefined) => void): void {
    const { file, hash, storeKey, bodyNumber } = entry;
    if (file === undefined) return opened(undefined);
    if (file.retain()) {
      file.body(opened);
      return file.release();
    }
    const path = this.zone.pathOf(hash);
    if (path === undefined) return opened(undefined);
    lookUp(this.disk, path, storeKey, (result) => {
      if (result.kind !== 'found') return opened(undefined);
      const { fd, layout, bodyLength } = result.entry;
      const again = new EntryFile(this, { fd, hash, storeKey, layout, bodyLength });
      if (layout.bodyNumber === bodyNumber) again.body(opened);
      else opened(undefined);
      again.release();
    });
  }

  private forgetOpen(hash: string): void {
    const entry = this.openEntries.get(hash);
    if (entry === undefined) return;
    this.openEntries.delete(hash);
    this.memory.drop(entry);
  }

  private closeOldest(): void {
    const [oldest] = this.openEntries.keys();
    if (oldest !== undefined) this.forgetOpen(oldest);
  }

  private rewrite(storeKey: string, contents: Buffer | undefined, response: StoredResponse): void {
    if (contents === undefined) return this.remove(storeKey);
    this.saver.save({ kind: 'response', storeKey, response }, contents, always, nothing);
  }

  private tellStored(file: StoredFile): void {
    this.stored.push(file);
    this.storedTimer ??= setTimeout(() => this.flushStored(), storedDelayMs);
  }

  private flushStored(): void {
    clearTimeout(this.storedTimer);
    this.storedTimer = undefined;
    const { stored } = this;
    this.stored = [];
    if (stored.length > 0) this.report({ stored });
  }

  private askForSpace(): void {
    // What became files is told first: it is space that the primary counts as leased.
    this.flushStored();
    const wanted = this.zone.lease.takeWanted();
    if (wanted !== undefined) this.report({ wanted });
  }
}

type GrowOptions = Readonly<{
  storeKey: string;
  response: Omit<StoredResponse, 'bodyLength'>;
  bodyLength: number | undefined;
}>;

function withOwnBlock(response: StoredResponse): StoredResponse {
  const block = Buffer.allocUnsafeSlow(response.block.length);
  response.block.copy(block);
  return { ...response, block };
}

function always(): boolean {
  return true;
}

function nothing(): void {}
