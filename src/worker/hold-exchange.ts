import type { ZoneHolds } from '../ipc/message.ts';
import type { HoldTable } from '../limits/hold-table.ts';

/** How soon the others hear of what is held here. */
const tellMs = 25;
/** Messages kept while the worker starts. */
const mostEarly = 1000;

/** Tells the primary what this worker holds of limits of things at a time, and takes in what the others do. */
export class HoldExchange {
  private readonly tables: () => ReadonlyMap<string, HoldTable>;
  private readonly send: (zones: readonly ZoneHolds[]) => void;
  private readonly timer: NodeJS.Timeout;
  /** What was heard before there was a configuration; undefined once there is one. */
  private early: ZoneHolds[] | undefined = [];

  /** @param tables those in force, by the name of the zone in messages */
  constructor(tables: () => ReadonlyMap<string, HoldTable>, send: (zones: readonly ZoneHolds[]) => void) {
    this.tables = tables;
    this.send = send;
    this.timer = setInterval(() => this.flush(), tellMs).unref();
  }

  /** The tables are in force: what was heard before comes into them. */
  configured(): void {
    const { early } = this;
    this.early = undefined;
    if (early !== undefined) this.receive(early);
  }

  receive(zones: readonly ZoneHolds[]): void {
    const tables = this.tables();
    for (const told of zones) {
      if (this.early === undefined) tables.get(told.zone)?.learn(told.holds);
      else if (this.early.length < mostEarly) this.early.push(told);
    }
  }

  close(): void {
    clearInterval(this.timer);
  }

  private flush(): void {
    const told: ZoneHolds[] = [];
    for (const [zone, table] of this.tables()) {
      if (table.changed.length === 0) continue;
      const holds = table.collect();
      if (holds.length > 0) told.push({ zone, holds });
    }
    if (told.length > 0) this.send(told);
  }
}
