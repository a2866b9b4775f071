import type { ToWorker, ZoneHolds } from '../ipc/message.ts';

/** How soon the workers hear what others hold. */
const announceMs = 2;

/** A worker that can be told something. */
export interface HoldClient {
  send(message: ToWorker): boolean;
}

/**
 * What all workers together hold of limits of things at a time: connections, requests. Each says what it holds, as a whole
 * number and not as a change, and hears what the others hold; what a dead worker held is nobody's at once.
 */
export class HoldDesk {
  private readonly clients = new Map<number, HoldClient>();
  /** By zone, then by key, then by worker. */
  private readonly zones = new Map<string, Map<number, Map<number, number>>>();
  private readonly changed = new Map<string, Set<number>>();
  private timer: NodeJS.Timeout | undefined;

  /** A worker has started: it hears of everything. */
  said(client: HoldClient, workerKey: number): void {
    this.clients.set(workerKey, client);
    const zones = [...this.zones].map(([zone, keys]) => this.othersThan(workerKey, zone, keys.keys()));
    if (zones.length > 0) client.send({ type: 'holds', zones });
  }

  told(told: readonly ZoneHolds[], workerKey: number): void {
    for (const { zone, holds } of told) {
      let keys = this.zones.get(zone);
      if (keys === undefined) this.zones.set(zone, (keys = new Map()));
      for (let at = 0; at + 1 < holds.length; at += 2)
        this.set(zone, keys, holds[at] as number, workerKey, holds[at + 1] as number);
    }
  }

  died(workerKey: number): void {
    this.clients.delete(workerKey);
    for (const [zone, keys] of this.zones) {
      for (const [key, holders] of keys) if (holders.has(workerKey)) this.set(zone, keys, key, workerKey, 0);
    }
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private set(zone: string, keys: Map<number, Map<number, number>>, key: number, worker: number, count: number): void {
    let holders = keys.get(key);
    if (holders === undefined) keys.set(key, (holders = new Map()));
    if (count > 0) holders.set(worker, count);
    else holders.delete(worker);
    if (holders.size === 0) keys.delete(key);
    let changed = this.changed.get(zone);
    if (changed === undefined) this.changed.set(zone, (changed = new Set()));
    changed.add(key);
    this.timer ??= setTimeout(() => this.announce(), announceMs).unref();
  }

  private announce(): void {
    this.timer = undefined;
    for (const [workerKey, client] of this.clients) {
      const zones = [...this.changed].map(([zone, keys]) => this.othersThan(workerKey, zone, keys));
      client.send({ type: 'holds', zones });
    }
    this.changed.clear();
    for (const [zone, keys] of this.zones) if (keys.size === 0) this.zones.delete(zone);
  }

  private othersThan(workerKey: number, zone: string, keys: Iterable<number>): ZoneHolds {
    const holds: number[] = [];
    for (const key of keys) {
      let others = 0;
      for (const [worker, count] of this.zones.get(zone)?.get(key) ?? []) if (worker !== workerKey) others += count;
      holds.push(key, others);
    }
    return { zone, holds: Float64Array.from(holds) };
  }
}
