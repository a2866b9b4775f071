import type { PurgeOrders } from '../purge-orders.ts';
import type { ResponseStore } from '../response-store.ts';
import type { CacheOrder } from './store-messages.ts';
import type { ZoneConfig } from './zone-config.ts';
import { type StoreResources, ZoneStore } from './zone-store.ts';

const settleMs = 1000;

/** The stores of all zones of a worker. They live on over reloads; what the primary says comes ahead of the configuration. */
export class ZoneStores {
  private readonly resources: Omit<StoreResources, 'purges'>;
  private readonly purges: PurgeOrders;
  private readonly stores = new Map<string, ZoneStore>();
  /** What the primary said last about the folders of zones that are not configured yet. */
  private readonly access = new Map<string, CacheOrder>();
  private readonly timer: NodeJS.Timeout;

  /** Takes over `purges.onRetire`. */
  constructor(resources: Omit<StoreResources, 'purges'>, purges: PurgeOrders) {
    this.resources = resources;
    this.purges = purges;
    purges.onRetire = (orders) => {
      for (const zone of new Set(orders.map((order) => order.zone))) this.stores.get(zone)?.dropPurged();
    };
    this.timer = setInterval(() => {
      for (const store of this.stores.values()) store.settle();
    }, settleMs);
    this.timer.unref();
  }

  /** Has exactly these zones from now on. */
  configure(zones: readonly ZoneConfig[]): void {
    const names = new Set(zones.map(({ name }) => name));
    for (const [name, store] of this.stores) {
      if (names.has(name)) continue;
      this.stores.delete(name);
      store.close();
    }
    for (const zone of zones) {
      const store = this.stores.get(zone.name);
      if (store === undefined) this.add(zone);
      else store.configure(zone);
    }
  }

  /** The store of a zone; the same one as long as the zone is configured. */
  get(zone: string): ResponseStore | undefined {
    return this.stores.get(zone);
  }

  /** What the primary's keeper says. */
  receive(orders: readonly CacheOrder[]): void {
    for (const order of orders) {
      if (order.disk !== undefined) this.access.set(order.zone, { zone: order.zone, disk: order.disk });
      this.stores.get(order.zone)?.receive(order);
    }
  }

  close(): void {
    clearInterval(this.timer);
    for (const store of this.stores.values()) store.close();
    this.stores.clear();
  }

  private add(zone: ZoneConfig): void {
    const store = new ZoneStore(zone, { ...this.resources, purges: this.purges.zone(zone.name) });
    this.stores.set(zone.name, store);
    const access = this.access.get(zone.name);
    if (access !== undefined) store.receive(access);
  }
}
