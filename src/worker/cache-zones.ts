import { CacheZone } from '../cache/cache-zone.ts';
import { PrimaryLocks } from '../cache/collapse/primary-locks.ts';
import type { PurgeClient } from '../cache/purge-client.ts';
import type { CacheOrder } from '../cache/store/store-messages.ts';
import type { ZoneConfig } from '../cache/store/zone-config.ts';
import { ZoneStores } from '../cache/store/zone-stores.ts';
import type { Config } from '../config/config.ts';
import type { CacheLockAnswer, ToPrimary } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';

/** What the zones of a worker are made with. */
export interface CacheZonesOptions {
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly send: (message: ToPrimary) => void;
  readonly purges: PurgeClient;
}

/** The zones of a worker. They live on over reloads, with what they hold; those that are gone from the configuration go. */
export class CacheZones {
  private readonly options: CacheZonesOptions;
  private readonly stores: ZoneStores;
  private readonly locks: PrimaryLocks;
  private readonly zones = new Map<string, CacheZone>();
  private configs: readonly ZoneConfig[] = [];

  constructor(options: CacheZonesOptions) {
    const { recorder, logger, send, purges } = options;
    this.options = options;
    const report = (reports: Parameters<ConstructorParameters<typeof ZoneStores>[0]['send']>[0]): void =>
      send({ type: 'cache-store', reports });
    this.stores = new ZoneStores({ recorder, logger, send: report }, purges.orders);
    this.locks = new PrimaryLocks(send);
  }

  /**
   * Has the zones of a configuration that may come into force besides those that there are, which stay as they are. When it
   * does, `settle` follows.
   */
  prepare({ caches, workers }: Config): void {
    const { recorder, purges } = this.options;
    const added = Object.values(caches).filter(({ name }) => !this.zones.has(name));
    this.stores.configure([...this.configs, ...added]);
    this.configs = [...this.configs, ...added];
    this.locks.isShared = workers > 1;
    for (const name of Object.keys(caches)) {
      const store = this.stores.get(name);
      if (store === undefined || this.zones.get(name)?.store === store) continue;
      this.zones.set(name, new CacheZone(name, store, this.locks, purges, recorder));
    }
  }

  /** The configuration is in force. */
  settle({ caches }: Config): void {
    for (const [name, zone] of this.zones) {
      if (caches[name] !== undefined) continue;
      this.zones.delete(name);
      zone.close();
    }
    this.configs = Object.values(caches);
    this.stores.configure(this.configs);
  }

  /** By which clients of this worker purge. */
  get purges(): PurgeClient {
    return this.options.purges;
  }

  get(name: string): CacheZone | undefined {
    return this.zones.get(name);
  }

  /** What the keeper of the stores says. */
  takeOrders(orders: readonly CacheOrder[]): void {
    this.stores.receive(orders);
  }

  /** What the primary says about a lock. */
  takeLock(id: number, answer: CacheLockAnswer): void {
    this.locks.receive(id, answer);
  }

  close(): void {
    for (const zone of this.zones.values()) zone.close();
    this.zones.clear();
    this.stores.close();
  }
}
