import { performance } from 'node:perf_hooks';
import type { ZoneCounts, ZoneDebts } from '../ipc/message.ts';
import type { LimitZones } from '../limits/limit-zones.ts';

/** How soon the primary hears of what was counted; of keys that use up much of their limit sooner. */
const usualMs = 25;
const urgentMs = 2;
/** Keys told of a zone at a time. Under a flood of keys the others wait for their turn, so that its cost is bounded. */
const mostKeys = 1000;
/** Messages kept while the worker starts. */
const mostEarly = 1000;

/** Tells the primary what this worker counted for limits, and takes in what all of them did. No request waits for it. */
export class RateExchange {
  private readonly zones: LimitZones;
  private readonly send: (zones: readonly ZoneCounts[]) => void;
  private readonly timer: NodeJS.Timeout;
  private urgent: NodeJS.Timeout | undefined;
  /** What was heard before there was a configuration; undefined once there is one. */
  private early: ZoneDebts[] | undefined = [];

  constructor(zones: LimitZones, send: (zones: readonly ZoneCounts[]) => void) {
    this.zones = zones;
    this.send = send;
    this.timer = setInterval(() => this.flush(), usualMs).unref();
    zones.onUrgent = () => {
      this.urgent ??= setTimeout(() => this.flush(), urgentMs).unref();
    };
  }

  /** The zones are in force: what was heard before comes into them. */
  configured(): void {
    const { early } = this;
    this.early = undefined;
    if (early !== undefined) this.receive(early);
  }

  receive(zones: readonly ZoneDebts[]): void {
    if (this.early !== undefined) {
      if (this.early.length < mostEarly) this.early.push(...zones);
      return;
    }
    const now = performance.now();
    for (const { zone: name, debts } of zones) {
      const zone = this.zones.rates.get(name);
      if (zone === undefined) continue;
      const { interval } = zone.config;
      for (let at = 0; at + 2 < debts.length; at += 3) {
        zone.table.learn(debts[at] as number, debts[at + 1] as number, now, debts[at + 2] as number, interval);
      }
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.flush();
  }

  private flush(): void {
    clearTimeout(this.urgent);
    this.urgent = undefined;
    const told: ZoneCounts[] = [];
    for (const [name, zone] of this.zones.rates) {
      zone.countDisplaced();
      if (zone.table.hasPending) told.push({ zone: name, counts: zone.table.collect(mostKeys) });
    }
    if (told.length > 0) this.send(told);
  }
}
