import type { PurgeOrder, PurgeRequest } from '../cache/purge.ts';
import type { ToWorker } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { PurgeJournal } from './purge-journal.ts';
import { type PurgeListener, PurgeRounds, type RoundResult } from './purge-round.ts';

/** A zone as far as purging goes. */
export interface PurgeZone {
  readonly name: string;
  /** Whether it has a folder, or would have one if it could. */
  readonly onDisk: boolean;
}

/** Removes from disk what orders concern. */
export interface PurgeSweeper {
  /** @returns whether nothing that they concern is left */
  sweep(zone: string, orders: readonly PurgeOrder[]): Promise<boolean>;
}

export interface CachePurgesOptions {
  /** To every worker that has a process; returns those that it went to. */
  readonly broadcast: (message: ToWorker) => readonly PurgeListener[];
  readonly sweeper: PurgeSweeper;
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** `Date.now`. */
  readonly now: () => number;
}

/** What became of requests to purge. */
export interface PurgeOutcome {
  readonly orders: number;
  /** Workers that obey, and those that did not say so in time. */
  readonly confirmed: number;
  readonly silent: number;
  /** Until the last of them obeyed, or was given up. */
  readonly obeyedMs: number;
  /** Why the orders do not outlive the program: what the disk said. */
  readonly notKept: string | undefined;
}

/**
 * Orders younger than this are not forgotten. What was asked for before and comes in after they were is not stored: only
 * responses that take longer than this notice.
 */
const retireAfterMs = 60_000;
const sweepIntervalMs = 15_000;
/** Each order costs some hundred bytes in every process; a prefix a comparison for each hit on what is older. */
const maxOrders = 10_000;
const maxPrefixes = 256;

/** The orders to purge: numbers them, keeps them on disk, tells them to every worker, and forgets them when they are done. */
export class CachePurges {
  private readonly options: CachePurgesOptions;
  private readonly rounds: PurgeRounds;
  private readonly zones = new Map<string, Zone>();
  private readonly timer: NodeJS.Timeout;
  private nextId = 1;
  private sweeping = false;

  constructor(options: CachePurgesOptions) {
    this.options = options;
    this.rounds = new PurgeRounds(options.broadcast);
    this.timer = setInterval(() => void this.sweep(), sweepIntervalMs).unref();
  }

  /** Every order that counts, for a worker that starts. */
  get list(): PurgeOrder[] {
    return [...this.zones.values()].flatMap((zone) => [...zone.orders.values()]);
  }

  /** The zones that there are from now on. */
  configure(zones: readonly PurgeZone[]): void {
    const names = new Set(zones.map(({ name }) => name));
    for (const name of this.zones.keys()) if (!names.has(name)) this.remove(name);
    for (const { name, onDisk } of zones) {
      const zone = this.zones.get(name);
      if (zone === undefined) this.zones.set(name, { name, onDisk, journal: undefined, orders: new Map() });
      else zone.onDisk = onDisk;
    }
  }

  /** The folder of a zone is this instance's from now on: workers hear what was purged in it before they may use it. */
  opened(name: string, folder: string): void {
    const zone = this.zones.get(name);
    if (zone === undefined) return;
    this.closed(name);
    const journal = new PurgeJournal(folder);
    zone.journal = journal;
    const orders = this.restore(zone, journal);
    if (orders.length > 0) this.options.broadcast({ type: 'cache-purge', round: 0, orders, retired: [] });
    if (zone.orders.size > 0) void journal.append([...zone.orders.values()]).catch(this.reportTo(zone));
  }

  /** The folder belongs to somebody else from now on, or to nobody. */
  closed(name: string): void {
    const zone = this.zones.get(name);
    void zone?.journal?.close();
    if (zone !== undefined) zone.journal = undefined;
  }

  /**
   * Purges, in every worker.
   * @param time of the orders: what was asked for later is not concerned
   * @returns when every worker obeys or was given up, and the orders are on disk or cannot be
   */
  async purge(requests: readonly PurgeRequest[], time = this.options.now()): Promise<PurgeOutcome> {
    const orders = requests.filter(({ zone }) => this.zones.has(zone)).map((request) => this.number(request, time));
    for (const { zone, what } of orders) {
      this.options.recorder.counter(metricNames.cachePurges, { zone, kind: what.kind }).add(1);
    }
    const startedAt = performance.now();
    const told = this.tell(orders).then((result) => ({ ...result, obeyedMs: performance.now() - startedAt }));
    const notKept = await this.keep(orders);
    return { orders: orders.length, ...(await told), notKept };
  }

  confirmed(worker: PurgeListener, round: number): void {
    this.rounds.confirmed(worker, round);
  }

  died(worker: PurgeListener): void {
    this.rounds.died(worker);
  }

  /** Orders that are not forgotten yet. */
  pending(zone: string): number {
    return this.zones.get(zone)?.orders.size ?? 0;
  }

  /** Has what they concern removed from disk and forgets those orders for which nothing is left. */
  async sweep(): Promise<void> {
    if (this.sweeping) return;
    this.sweeping = true;
    for (const zone of this.zones.values()) {
      try {
        await this.sweepZone(zone);
      } catch (error) {
        this.options.logger.warn('orders to purge stay', { zone: zone.name, error });
      }
    }
    this.sweeping = false;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const { journal } of this.zones.values()) await journal?.close();
  }

  /** @returns the orders that the folder holds */
  private restore(zone: Zone, journal: PurgeJournal): readonly PurgeOrder[] {
    const { orders, damage } = journal.load();
    // Numbers are those of this run: two folders may come with the same.
    const restored = orders.map((order) => this.number({ ...order, zone: zone.name }, order.time));
    if (damage === undefined) return restored;
    this.options.logger.error('the orders to purge cannot be read: everything in the zone counts as purged', {
      zone: zone.name,
      error: damage,
    });
    const everything: PurgeRequest = { zone: zone.name, what: { kind: 'everything' }, soft: false };
    return [...restored, this.number(everything, this.options.now())];
  }

  private async tell(orders: readonly PurgeOrder[]): Promise<RoundResult> {
    return orders.length === 0 ? { confirmed: 0, silent: 0 } : this.rounds.tell({ orders, retired: [] });
  }

  private remove(name: string): void {
    this.closed(name);
    this.zones.delete(name);
    this.options.recorder.gauge(metricNames.cachePurgesPending, { zone: name }).set(Number.NaN);
  }

  private number(request: PurgeRequest, time: number): PurgeOrder {
    const { zone: name, what, soft } = request;
    const order: PurgeOrder = { id: this.nextId++, zone: name, time, what, soft };
    const zone = this.zones.get(name);
    zone?.orders.set(order.id, order);
    this.show(zone);
    return order;
  }

  /** @returns what the disk said, if anything */
  private async keep(orders: readonly PurgeOrder[]): Promise<string | undefined> {
    let failure: string | undefined;
    for (const zone of this.zones.values()) {
      const own = orders.filter((order) => order.zone === zone.name);
      if (own.length === 0) continue;
      failure = (await zone.journal?.append(own).then(() => undefined, this.reportTo(zone))) ?? failure;
      await this.bound(zone);
    }
    return failure;
  }

  private reportTo(zone: Zone): (error: unknown) => string {
    return (error) => {
      this.options.recorder.counter(metricNames.cacheStoreErrors, { zone: zone.name, reason: 'write' }).add(1);
      this.options.logger.error('orders to purge would not outlive a restart', { zone: zone.name, error });
      return error instanceof Error ? error.message : String(error);
    };
  }

  private async sweepZone(zone: Zone): Promise<void> {
    if (zone.journal?.durable === false) await zone.journal.flush().catch(this.reportTo(zone));
    const before = this.options.now() - retireAfterMs;
    const due = [...zone.orders.values()].filter(({ time }) => time < before);
    if (due.length === 0) return;
    if (zone.onDisk && !(await this.options.sweeper.sweep(zone.name, due))) return;
    await this.forget(zone, due);
  }

  /** Workers first: as long as one knows an order the disk has to know it for its successor. */
  private async forget(zone: Zone, orders: readonly PurgeOrder[]): Promise<void> {
    const ids = orders.map(({ id }) => id);
    for (const id of ids) zone.orders.delete(id);
    this.show(zone);
    await this.rounds.tell({ orders: [], retired: ids });
    await zone.journal?.retire(ids).catch(this.reportTo(zone));
  }

  /** Too many: the older half becomes one order for everything that is as old, which concerns no less. */
  private async bound(zone: Zone): Promise<void> {
    const all = [...zone.orders.values()];
    const prefixes = all.filter(({ what }) => what.kind === 'prefix');
    const many = all.length > maxOrders ? all : prefixes.length > maxPrefixes ? prefixes : undefined;
    if (many === undefined) return;
    const older = many.toSorted((one, other) => one.time - other.time).slice(0, many.length >> 1);
    this.options.logger.warn('too many orders to purge: everything that is as old as half of them is purged', {
      zone: zone.name,
      orders: many.length,
    });
    const soft = older.every((order) => order.soft);
    const everything = { zone: zone.name, what: { kind: 'everything' }, soft } as const;
    const order = this.number(everything, older.at(-1)?.time ?? 0);
    await this.rounds.tell({ orders: [order], retired: [] });
    await zone.journal?.append([order]).catch(this.reportTo(zone));
    await this.forget(zone, older);
  }

  private show(zone: Zone | undefined): void {
    if (zone === undefined) return;
    this.options.recorder.gauge(metricNames.cachePurgesPending, { zone: zone.name }).set(zone.orders.size);
  }
}

interface Zone {
  readonly name: string;
  onDisk: boolean;
  journal: PurgeJournal | undefined;
  readonly orders: Map<number, PurgeOrder>;
}
