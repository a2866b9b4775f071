import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import type { PurgeOrder } from '../cache/purge.ts';
import { entryPath, temporaryFolder } from '../cache/store/entry-key.ts';
import type { CacheOrder, CacheReport, StoredFile } from '../cache/store/store-messages.ts';
import type { ZoneConfig } from '../cache/store/zone-config.ts';
import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';
import { CacheKeeperIndex } from './cache-keeper-index.ts';
import { FolderLock, heartbeatMs } from './cache-keeper-lock.ts';
import { scanFolder } from './cache-keeper-scan.ts';
import { CacheKeeperSpace } from './cache-keeper-space.ts';
import { sweepFiles } from './cache-keeper-sweep.ts';

/** Deletions under way at a time, and while the disk refuses them the time until the next try. */
const maxDeleting = 32;
const refusedPauseMs = 10_000;
/** What was changed in the folder by others than workers is noticed after so long. */
const rescanMs = 30 * 60_000;
/** While the sizes of the files there are not known, so much of the bound may be added: it stays passed by less than 2 %. */
const blindShare = 0.01;
/** Last uses that are being written to files at a time. */
const maxNoting = 32;
const hashDigits = 32;

export type DeletionReason = 'size' | 'inactive' | 'purged';

/** How a zone speaks to workers. */
export interface ZoneWire {
  tell(worker: number, order: CacheOrder): void;
  /** @param except who knows it already */
  tellAll(order: CacheOrder, except?: number): void;
  /** To each its own. */
  tellEach(order: (worker: number) => CacheOrder): void;
}

export interface KeeperResources {
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** `Date.now`. */
  readonly now: () => number;
  /** Told when a folder is this instance's, before workers are, and when it is not any more. */
  readonly folderOwner?: FolderOwner;
}

/** Somebody who keeps something of his own in the folders. */
export interface FolderOwner {
  opened(zone: string, folder: string): void;
  closed(zone: string): void;
}

/** The folder of a zone: knows its files and their last use, leases space, and deletes what is too much or too old. */
export class CacheKeeperZone {
  readonly directory: string;
  readonly folder: string;
  readonly index = new CacheKeeperIndex();
  readonly space: CacheKeeperSpace;
  private config: ZoneConfig;
  private readonly wire: ZoneWire;
  private readonly logger: Logger;
  private readonly now: () => number;
  private readonly folderOwner: FolderOwner | undefined;
  private readonly lock: FolderLock;
  private readonly run = randomBytes(5).toString('hex');
  private readonly gauges: Readonly<Record<'bytes' | 'entries' | 'maxBytes', Gauge>>;
  private readonly evicted: Readonly<Record<DeletionReason, Counter>>;
  private readonly failures: Readonly<Record<'write' | 'corrupt', Counter>>;
  private owned = false;
  private stopScan = new AbortController();
  private scanning = false;
  private scanned = false;
  private rescanWanted = false;
  private nextScanAt = 0;
  private nextHeartbeatAt = 0;
  private blindBytes = 0;
  private deleting = 0;
  private refusedUntil = 0;
  private stuckBytes = 0;
  private noting = 0;
  private evictedLarge: string[] = [];
  private complaint = '';

  constructor(config: ZoneConfig, directory: string, wire: ZoneWire, resources: KeeperResources) {
    const { recorder, logger, now } = resources;
    const zone = config.name;
    this.config = config;
    this.directory = directory;
    this.folder = `${directory}/${zone}`;
    this.space = new CacheKeeperSpace(config.diskSize);
    this.wire = wire;
    this.logger = logger;
    this.now = now;
    this.folderOwner = resources.folderOwner;
    this.lock = new FolderLock(this.folder);
    const counter = (reason: DeletionReason): Counter => recorder.counter(metricNames.cacheEvicted, { zone, reason });
    this.evicted = { size: counter('size'), inactive: counter('inactive'), purged: counter('purged') };
    this.failures = {
      write: recorder.counter(metricNames.cacheStoreErrors, { zone, reason: 'write' }),
      corrupt: recorder.counter(metricNames.cacheStoreErrors, { zone, reason: 'corrupt' }),
    };
    this.gauges = {
      bytes: recorder.gauge(metricNames.cacheBytes, { zone, store: 'disk' }),
      entries: recorder.gauge(metricNames.cacheEntries, { zone, store: 'disk' }),
      maxBytes: recorder.gauge(metricNames.cacheMaxBytes, { zone, store: 'disk' }),
    };
    this.gauges.maxBytes.set(config.diskSize);
  }

  /** Whether every file in the folder is known. */
  get complete(): boolean {
    return this.owned && this.scanned && !this.scanning;
  }

  /** Tries to get the folder; the zone is in memory only while another instance has it, or it cannot be used. */
  open(): void {
    this.nextHeartbeatAt = this.now() + heartbeatMs;
    try {
      const holder = this.lock.acquire();
      if (holder !== undefined) return this.complain(`${holder} uses the folder`);
      this.clearTemporary('');
    } catch (error) {
      return this.complain((error as Error).message);
    }
    this.complaint = '';
    this.owned = true;
    this.folderOwner?.opened(this.config.name, this.folder);
    this.wire.tellEach((worker) => this.greeting(worker));
    void this.scan();
  }

  /** What a worker has to know before it serves. */
  greeting(worker: number): CacheOrder {
    const { name } = this.config;
    if (!this.owned) return { zone: name, disk: 'closed' };
    return { zone: name, disk: { folder: this.folder, session: this.sessionOf(worker) } };
  }

  told(worker: number, report: CacheReport): void {
    if (!this.owned) return;
    for (const file of report.stored ?? []) this.stored(worker, file);
    for (const hash of report.lost ?? []) this.lookAt(hash);
    if (report.used !== undefined) this.used(report.used);
    if (report.returned !== undefined) this.space.settle(worker, report.returned);
    if (report.wanted !== undefined) this.space.want(worker, report.wanted);
    this.balance();
  }

  /** A file may be gone. */
  lookAt(hash: string): void {
    if (!this.index.has(hash)) return;
    fs.stat(entryPath(this.folder, hash), (error) => {
      if (error?.code !== 'ENOENT') return;
      this.index.remove(hash);
      this.balance();
    });
  }

  /** A worker is gone: what it was writing goes, and what it wrote without having told of it is looked for. */
  died(worker: number): void {
    if (!this.owned) return;
    this.space.died(worker);
    try {
      this.clearTemporary(`${this.sessionOf(worker)}-`);
    } catch (error) {
      this.complain((error as Error).message);
    }
    this.rescanWanted = true;
    this.balance();
  }

  /** Once a second. */
  tick(): void {
    const now = this.now();
    if (now >= this.nextHeartbeatAt) this.beat();
    if (!this.owned) return;
    if (this.rescanWanted || now >= this.nextScanAt) void this.scan();
    this.deleteInactive();
    this.balance();
    this.tellEvicted();
    this.gauges.bytes.set(this.space.used);
    this.gauges.entries.set(this.index.length);
  }

  /** Deletes what orders concern. @returns whether nothing that they concern is left */
  async sweep(orders: readonly PurgeOrder[]): Promise<boolean> {
    if (!this.complete) return false;
    return sweepFiles(this.folder, this.index, orders, (hash, done) => this.delete(hash, 'purged', done));
  }

  close(): void {
    this.stopScan.abort();
    if (this.owned) this.folderOwner?.closed(this.config.name);
    if (this.owned) this.lock.release();
    this.owned = false;
    for (const gauge of Object.values(this.gauges)) gauge.set(Number.NaN);
    this.wire.tellAll({ zone: this.config.name, disk: 'closed' });
  }

  /** Other settings of the same folder, at reload. */
  configure(config: ZoneConfig): void {
    this.config = config;
    this.space.limit = config.diskSize;
    this.gauges.maxBytes.set(config.diskSize);
    this.balance();
  }

  private sessionOf(worker: number): string {
    return `${this.run}-${worker}`;
  }

  private stored(worker: number, { hash, storeKey, bytes, key, tags }: StoredFile): void {
    const isKnown = this.index.set({ hash, bytes, usedAt: this.seconds(), key, tags });
    this.space.settle(worker, bytes);
    if (isKnown) this.wire.tellAll({ zone: this.config.name, forgotten: [storeKey] }, worker);
  }

  private used(hashes: string): void {
    const now = this.seconds();
    const precision = Math.max(60, this.config.inactive / 8000);
    for (let start = 0; start + hashDigits <= hashes.length; start += hashDigits) {
      const hash = hashes.slice(start, start + hashDigits);
      if (!this.index.use(hash, now) || this.noting >= maxNoting || !this.index.shouldNote(hash, precision)) continue;
      this.noting++;
      // The last use outlives this process as the time of the file.
      fs.utimes(entryPath(this.folder, hash), now, now, () => this.noting--);
    }
  }

  /** Leases what is free, and makes room where it is not. */
  private balance(): void {
    this.space.fileBytes = this.index.bytes;
    const most = this.scanned ? Number.POSITIVE_INFINITY : this.config.diskSize * blindShare - this.blindBytes;
    this.space.grant((worker, granted) => {
      this.blindBytes += granted;
      this.wire.tell(worker, { zone: this.config.name, granted });
    }, most);
    if (this.now() < this.refusedUntil) return;
    while (this.space.excess > 0 && this.deleting < maxDeleting) {
      const oldest = this.index.leastRecent();
      if (oldest === undefined) break;
      this.delete(oldest.hash, 'size');
    }
    if (this.space.wanted > 0 && this.index.length === 0) this.recall();
  }

  /** What one worker has leased and does not use others could. */
  private recall(): void {
    for (const worker of this.space.holders) this.wire.tell(worker, { zone: this.config.name, recalled: true });
  }

  private deleteInactive(): void {
    const before = (this.now() - this.config.inactive) / 1000;
    while (this.deleting < maxDeleting && this.now() >= this.refusedUntil) {
      const oldest = this.index.leastRecent();
      if (oldest === undefined || oldest.usedAt >= before) return;
      this.delete(oldest.hash, 'inactive');
    }
  }

  private delete(hash: string, reason: DeletionReason, done?: () => void): void {
    const bytes = this.index.remove(hash);
    this.deleting++;
    this.space.fileBytes = this.index.bytes;
    this.space.deletingBytes += bytes;
    fs.unlink(entryPath(this.folder, hash), (error) => {
      this.deleting--;
      done?.();
      if (error !== null && error.code !== 'ENOENT') return this.notDeleted(bytes, error);
      this.space.deletingBytes -= bytes;
      this.evicted[reason].add(1);
      if (bytes > this.config.memoryEntry) this.evictedLarge.push(hash);
      if (reason === 'inactive') this.deleteInactive();
      this.balance();
    });
  }

  /** It counts as being deleted until the next scan has found it again. */
  private notDeleted(bytes: number, error: NodeJS.ErrnoException): void {
    this.failures.write.add(1);
    this.stuckBytes += bytes;
    this.refusedUntil = this.now() + refusedPauseMs;
    this.nextScanAt = this.refusedUntil;
    this.complain(error.message);
  }

  private async scan(): Promise<void> {
    if (this.scanning) return;
    this.scanning = true;
    this.rescanWanted = false;
    const lost = this.space.lostBytes;
    const stuck = this.stuckBytes;
    const { signal } = this.stopScan;
    try {
      const { corrupt, missing } = await scanFolder(this.folder, this.index, signal);
      if (signal.aborted) return;
      this.failures.corrupt.add(corrupt);
      for (const hash of missing) this.lookAt(hash);
      this.space.recovered(lost);
      this.space.deletingBytes -= stuck;
      this.stuckBytes -= stuck;
      this.scanned = true;
      this.nextScanAt = this.now() + rescanMs;
    } catch (error) {
      this.nextScanAt = this.now() + refusedPauseMs;
      this.complain((error as Error).message);
    } finally {
      this.scanning = false;
    }
    this.balance();
  }

  private beat(): void {
    this.nextHeartbeatAt = this.now() + heartbeatMs;
    if (!this.owned) return this.open();
    try {
      const kept = this.lock.refresh();
      // Somebody removed the folder: there is little in it.
      if (kept === 'remade') this.rescanWanted = true;
      if (kept !== 'lost') return;
      this.complain('another instance took the folder');
    } catch (error) {
      return this.complain((error as Error).message);
    }
    this.owned = false;
    this.folderOwner?.closed(this.config.name);
    this.stopScan.abort();
    this.stopScan = new AbortController();
    this.wire.tellAll({ zone: this.config.name, disk: 'closed' });
  }

  /** Files of former instances, or of one worker that is gone. */
  private clearTemporary(prefix: string): void {
    const folder = temporaryFolder(this.folder);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of fs.readdirSync(folder)) {
      if (name.startsWith(prefix)) fs.rmSync(`${folder}/${name}`, { force: true });
    }
  }

  private tellEvicted(): void {
    if (this.evictedLarge.length === 0) return;
    this.wire.tellAll({ zone: this.config.name, evicted: this.evictedLarge.join('') });
    this.evictedLarge = [];
  }

  /** Once for each thing that is wrong, not each second. */
  private complain(what: string): void {
    if (what === this.complaint) return;
    this.complaint = what;
    const how = this.owned ? 'the folder of the cache has a problem' : 'the cache does without its folder';
    this.logger.error(how, { zone: this.config.name, folder: this.folder, error: what });
  }

  private seconds(): number {
    return Math.floor(this.now() / 1000);
  }
}
