import { performance } from 'node:perf_hooks';
import type { ToWorker, ZoneCounts, ZoneDebts } from '../ipc/message.ts';
import { RateTable } from '../limits/rate-table.ts';
import type { RateLimitConfig } from '../limits/rate-zone.ts';

/** How soon the workers hear what others counted. */
const announceMs = 2;
/** Keys that a new worker is told of, of each zone. */
const handedOver = 20_000;
/** Part of its burst that a key must have used up for others to hear of it. */
const notable = 1 / 8;

/** Says something to every worker. */
export type Announce = (message: Extract<ToWorker, { type: 'rates' }>) => void;

/**
 * What all workers together counted for limits of rates. It is the truth: each worker goes by what it counted itself and by
 * the last it heard from here, so that a key gets its rate in the long run however its connections are spread over the
 * workers. A worker that dies takes nothing with it but what it had not told.
 */
export class LimitDesk {
  private readonly announce: Announce;
  private readonly now: () => number;
  private zones = new Map<string, SharedZone>();
  private timer: NodeJS.Timeout | undefined;
  /** Told of what is counted in zones that are shared with other machines. */
  onShared: ((zone: string, high: number, low: number, requests: number) => void) | undefined;

  constructor(announce: Announce, now: () => number = () => performance.now()) {
    this.announce = announce;
    this.now = now;
  }

  /** Takes the zones of a configuration; those whose keys mean the same keep what they know. */
  configure(rateLimits: Readonly<Record<string, RateLimitConfig>>): void {
    const now = this.now();
    const zones = new Map<string, SharedZone>();
    for (const [name, config] of Object.entries(rateLimits)) {
      const former = this.zones.get(name);
      const stays = former !== undefined && remembersFor(former.config, config);
      if (stays && former.config.interval !== config.interval) {
        former.table.rescale(config.interval / former.config.interval, now);
      }
      zones.set(name, { config, table: stays ? former.table : new RateTable(config.keys), changed: new Map() });
    }
    this.zones = zones;
  }

  told(counted: readonly ZoneCounts[]): void {
    const now = this.now();
    for (const { zone: name, counts } of counted) {
      const zone = this.zones.get(name);
      if (zone === undefined) continue;
      const { interval, burst, shared } = zone.config;
      for (let at = 0; at + 2 < counts.length; at += 3) {
        const high = counts[at] as number;
        const low = counts[at + 1] as number;
        const debt = zone.table.add(high, low, now, (counts[at + 2] as number) * interval);
        if (shared) this.onShared?.(name, high, low, counts[at + 2] as number);
        if (debt >= burst * interval * notable) zone.changed.set(high * 2 ** 32 + low, [high, low]);
      }
    }
    this.tellSoon();
  }

  /** Takes what is known of a key over all machines. @param requests how many it is ahead of its rate */
  learn(name: string, high: number, low: number, requests: number): void {
    const zone = this.zones.get(name);
    if (zone === undefined) return;
    const now = this.now();
    const { table, config, changed } = zone;
    const before = table.debt(table.find(high, low, now), now);
    table.learn(high, low, now, requests, config.interval);
    const debt = table.debt(table.find(high, low, now), now);
    if (debt <= before || debt < config.burst * config.interval * notable) return;
    changed.set(high * 2 ** 32 + low, [high, low]);
    this.tellSoon();
  }

  /** What a worker has to know that has just started. */
  handOver(): Extract<ToWorker, { type: 'rates' }> | undefined {
    const now = this.now();
    const zones: ZoneDebts[] = [];
    for (const [zone, { table, config }] of this.zones) {
      const debts = table.debts(now, config.interval, config.burst * notable, handedOver);
      if (debts.length > 0) zones.push({ zone, debts });
    }
    return zones.length === 0 ? undefined : { type: 'rates', zones };
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private tellSoon(): void {
    this.timer ??= setTimeout(() => this.tell(), announceMs).unref();
  }

  private tell(): void {
    this.timer = undefined;
    const now = this.now();
    const zones: ZoneDebts[] = [];
    for (const [zone, { config, table, changed }] of this.zones) {
      if (changed.size === 0) continue;
      const debts = new Float64Array(changed.size * 3);
      let at = 0;
      for (const [high, low] of changed.values()) {
        debts[at++] = high;
        debts[at++] = low;
        debts[at++] = table.debt(table.find(high, low, now), now) / config.interval;
      }
      changed.clear();
      zones.push({ zone, debts });
    }
    if (zones.length > 0) this.announce({ type: 'rates', zones });
  }
}

interface SharedZone {
  readonly config: RateLimitConfig;
  readonly table: RateTable;
  /** Keys that the workers have to hear of. */
  readonly changed: Map<number, readonly [high: number, low: number]>;
}

function remembersFor(former: RateLimitConfig, next: RateLimitConfig): boolean {
  return former.keys === next.keys && JSON.stringify(former.key) === JSON.stringify(next.key);
}
