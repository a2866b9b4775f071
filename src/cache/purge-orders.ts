import type { PurgeOrder, PurgeTarget } from './purge.ts';
import type { StoredResponse } from './stored-response.ts';

/** What an order is compared with. */
export type Purgeable = Pick<StoredResponse, 'key' | 'tags' | 'requestTime'>;

/** What the orders say about a stored response: not there any more, or there and stale (soft). */
export type PurgeVerdict = 'gone' | 'stale';

/** The orders of one zone, as a store asks them. */
export interface ZonePurges {
  /** Grows with each order: a verdict given at one version holds for as long as it stays. */
  readonly version: number;
  /**
   * Says what has become of a stored response. One comparison where it was asked for after the last order, else a few
   * look-ups, and a comparison for each prefix.
   */
  concerns(response: Purgeable): PurgeVerdict | undefined;
  /**
   * Whether a response that has come in may be stored or, where its storing ends only now, be kept: no order came since it
   * was asked for that concerns it. Orders that are not known any more count as if they did.
   */
  mayKeep(response: Purgeable): boolean;
}

/** Orders by zone: what a worker, and the primary, know of what was purged. */
export class PurgeOrders {
  /**
   * Called with orders that are about to be forgotten, because nothing on disk is concerned any more. Whoever holds stored
   * responses in memory has to let go of those concerned before it returns: `concerns` still knows.
   */
  onRetire: ((orders: readonly PurgeOrder[]) => void) | undefined;
  private readonly zones = new Map<string, ZoneOrders>();
  private readonly orders = new Map<number, PurgeOrder>();

  get size(): number {
    return this.orders.size;
  }

  /** Those of a zone; the same object as long as the process lives. */
  zone(name: string): ZonePurges {
    return this.zoneOrders(name);
  }

  add(orders: readonly PurgeOrder[]): void {
    for (const order of orders) {
      this.orders.set(order.id, order);
      this.zoneOrders(order.zone).add(order);
    }
  }

  /** An order that this worker obeys at once; that of the primary for the same follows. */
  anticipate(order: Omit<PurgeOrder, 'id'>): void {
    this.zoneOrders(order.zone).add({ ...order, id: 0 });
  }

  retire(ids: readonly number[]): void {
    const orders = ids.flatMap((id) => this.orders.get(id) ?? []);
    if (orders.length === 0) return;
    this.onRetire?.(orders);
    for (const order of orders) {
      this.orders.delete(order.id);
      this.zoneOrders(order.zone).remove(order);
    }
  }

  private zoneOrders(name: string): ZoneOrders {
    let zone = this.zones.get(name);
    if (zone === undefined) this.zones.set(name, (zone = new ZoneOrders()));
    return zone;
  }
}

/** The last order of each kind for one target: earlier ones concern nothing that it does not. */
interface Slot {
  hard: PurgeOrder | undefined;
  soft: PurgeOrder | undefined;
}

class ZoneOrders implements ZonePurges {
  version = 0;
  /** Time of the last order: what was asked for later is not concerned by any. */
  private newest = -1;
  /** Time of the last order that was forgotten. */
  private retired = -1;
  private everything: Slot | undefined;
  /** By host, path and query as they begin the key. */
  private readonly urls = new Map<string, Slot>();
  /** By host and path. */
  private readonly paths = new Map<string, Slot>();
  private readonly hosts = new Map<string, Slot>();
  private readonly tags = new Map<string, Slot>();
  private readonly prefixes = new Map<string, Slot>();

  add(order: PurgeOrder): void {
    const slot = this.slotOf(order.what);
    const part = order.soft ? 'soft' : 'hard';
    const former = slot[part];
    if (former === undefined || former.time <= order.time) slot[part] = order;
    this.newest = Math.max(this.newest, order.time);
    this.version++;
  }

  remove(order: PurgeOrder): void {
    this.retired = Math.max(this.retired, order.time);
    const slot = this.slotOf(order.what);
    if (slot.hard?.id === order.id) slot.hard = undefined;
    if (slot.soft?.id === order.id) slot.soft = undefined;
    if (slot.hard === undefined && slot.soft === undefined) this.drop(order.what);
  }

  concerns(response: Purgeable): PurgeVerdict | undefined {
    const { requestTime, key, tags } = response;
    if (requestTime > this.newest) return undefined;
    let verdict = judge(this.everything, requestTime);
    for (let index = 0; index < tags.length && verdict !== 'gone' && this.tags.size > 0; index++) {
      verdict = judge(this.tags.get(tags[index] as string), requestTime) ?? verdict;
    }
    if (verdict === 'gone') return verdict;
    return worse(verdict, this.judgeKey(key, requestTime));
  }

  mayKeep(response: Purgeable): boolean {
    return response.requestTime > this.retired && this.concerns(response) === undefined;
  }

  private judgeKey(key: string, time: number): PurgeVerdict | undefined {
    let verdict: PurgeVerdict | undefined;
    if (this.urls.size > 0) verdict = judge(this.urls.get(urlOfKey(key)), time);
    if (this.paths.size > 0) verdict = worse(verdict, judge(this.paths.get(pathOfKey(key)), time));
    if (this.hosts.size > 0) verdict = worse(verdict, judge(this.hosts.get(hostOfKey(key)), time));
    if (verdict === 'gone' || this.prefixes.size === 0) return verdict;
    for (const [prefix, slot] of this.prefixes) {
      if (key.startsWith(prefix)) verdict = worse(verdict, judge(slot, time));
    }
    return verdict;
  }

  private slotOf(what: PurgeTarget): Slot {
    if (what.kind === 'everything') return (this.everything ??= { hard: undefined, soft: undefined });
    const slots = this.slotsOf(what.kind, what);
    const name = nameOf(what);
    let slot = slots.get(name);
    if (slot === undefined) slots.set(name, (slot = { hard: undefined, soft: undefined }));
    return slot;
  }

  private drop(what: PurgeTarget): void {
    if (what.kind === 'everything') this.everything = undefined;
    else this.slotsOf(what.kind, what).delete(nameOf(what));
  }

  private slotsOf(kind: Exclude<PurgeTarget['kind'], 'everything'>, what: PurgeTarget): Map<string, Slot> {
    if (kind === 'tag') return this.tags;
    if (kind === 'host') return this.hosts;
    if (kind === 'prefix') return this.prefixes;
    return what.kind === 'url' && what.query === undefined ? this.paths : this.urls;
  }
}

/** Names what an order concerns, the same for two orders that concern the same. */
export function nameOf(what: PurgeTarget): string {
  switch (what.kind) {
    case 'url':
      return what.host + what.path + (what.query === undefined || what.query === '' ? '' : `?${what.query}`);
    case 'prefix':
      return what.host + what.path;
    case 'host':
      return what.host;
    case 'tag':
      return what.tag;
    case 'everything':
      return '';
  }
}

function judge(slot: Slot | undefined, requestTime: number): PurgeVerdict | undefined {
  if (slot === undefined) return undefined;
  if (slot.hard !== undefined && requestTime <= slot.hard.time) return 'gone';
  return slot.soft !== undefined && requestTime <= slot.soft.time ? 'stale' : undefined;
}

function worse(one: PurgeVerdict | undefined, other: PurgeVerdict | undefined): PurgeVerdict | undefined {
  return one === 'gone' || other === undefined ? one : other;
}

/** Host, path and query: what stands in front of the first space, which none of them can hold. */
function urlOfKey(key: string): string {
  const end = key.indexOf(' ');
  return end === -1 ? key : key.slice(0, end);
}

function pathOfKey(key: string): string {
  const url = urlOfKey(key);
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** '' where the key has no host: paths begin with a slash. */
function hostOfKey(key: string): string {
  return key.slice(0, Math.max(key.indexOf('/'), 0));
}
