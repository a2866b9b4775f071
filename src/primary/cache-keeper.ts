import type { PurgeOrder, PurgeTarget } from '../cache/purge.ts';
import { entryHash } from '../cache/store/entry-key.ts';
import type { CacheOrder, CacheReport } from '../cache/store/store-messages.ts';
import type { ZoneConfig } from '../cache/store/zone-config.ts';
import type { ToWorker } from '../ipc/message.ts';
import { CacheKeeperZone, type KeeperResources, type ZoneWire } from './cache-keeper-zone.ts';

/** A worker that can be told something. */
export interface KeeperClient {
  send(message: ToWorker): boolean;
}

const tickMs = 1000;

/**
 * Keeps the folders of the cache for all workers: who may write how much, what was used when, what is deleted. No request waits
 * for it, but for space to store its response, and that for a limited time.
 */
export class CacheKeeper {
  private readonly resources: KeeperResources;
  private readonly zones = new Map<string, CacheKeeperZone>();
  private readonly clients = new Map<number, KeeperClient>();
  private readonly timer: NodeJS.Timeout;

  constructor(resources: KeeperResources) {
    this.resources = resources;
    this.timer = setInterval(() => this.tick(), tickMs);
    this.timer.unref();
  }

  /** What happens once a second: uses, evictions, scans that are due, the sign that the owner of the folders lives. */
  tick(): void {
    for (const zone of this.zones.values()) zone.tick();
  }

  /** Keeps these zones from now on. Folders are there, and locked, when it returns; what is in them is found out later. */
  configure(zones: readonly ZoneConfig[]): void {
    const wanted = new Map(zones.map((zone) => [zone.name, zone]));
    for (const [name, zone] of this.zones) {
      if (wanted.get(name)?.directory === zone.directory) continue;
      this.zones.delete(name);
      zone.close();
    }
    for (const config of zones) {
      const { name, directory } = config;
      const zone = this.zones.get(name);
      if (zone !== undefined) zone.configure(config);
      else if (directory !== undefined) {
        const added = new CacheKeeperZone(config, directory, this.wire, this.resources);
        this.zones.set(name, added);
        added.open();
      }
    }
  }

  /** A worker has started: it is told what it may use, ahead of its configuration. */
  joined(worker: number, client: KeeperClient): void {
    this.clients.set(worker, client);
    const orders = [...this.zones.values()].map((zone) => zone.greeting(worker));
    if (orders.length > 0) client.send({ type: 'cache-store', orders });
  }

  told(worker: number, reports: readonly CacheReport[]): void {
    for (const report of reports) {
      const zone = this.zones.get(report.zone);
      if (report.removed !== undefined) {
        this.wire.tellAll({ zone: report.zone, forgotten: report.removed }, worker);
        for (const storeKey of report.removed) zone?.lookAt(entryHash(storeKey));
      }
      zone?.told(worker, report);
    }
  }

  died(worker: number): void {
    if (!this.clients.delete(worker)) return;
    for (const zone of this.zones.values()) zone.died(worker);
  }

  /** Hashes of files that a purge may concern. */
  candidates(zone: string, target: PurgeTarget): string[] {
    return this.zones.get(zone)?.index.candidates(target) ?? [];
  }

  /**
   * Removes from disk what orders concern.
   * @returns whether nothing that they concern is left; false also while it is not known yet what is on disk
   */
  async sweep(zone: string, orders: readonly PurgeOrder[]): Promise<boolean> {
    return this.zones.get(zone)?.sweep(orders) ?? true;
  }

  /** Gives the folders free for others. */
  close(): void {
    clearInterval(this.timer);
    for (const zone of this.zones.values()) zone.close();
    this.zones.clear();
  }

  private readonly wire: ZoneWire = {
    tell: (worker, order) => this.tell(worker, order),
    tellAll: (order, except) => {
      for (const worker of this.clients.keys()) if (worker !== except) this.tell(worker, order);
    },
    tellEach: (order) => {
      for (const worker of this.clients.keys()) this.tell(worker, order(worker));
    },
  };

  private tell(worker: number, order: CacheOrder): void {
    this.clients.get(worker)?.send({ type: 'cache-store', orders: [order] });
  }
}
