import { performance } from 'node:perf_hooks';
import type { CapacitySource, ServerCapacity } from '../balancer/server-capacity.ts';
import type { CapacityDemand, CapacityOrder } from '../ipc/message.ts';

/** How long a worker may go on with its own queue on a lease that another one needs. Bounds the messages between processes. */
const turnMs = 10;
/** How soon the primary hears that less is needed. */
const lessMs = 20;
/** Leases that were not all in use for so long are given back. */
const idleMs = 250;

/**
 * What this worker holds of the `maxConnections` of all servers. Requests take and return leases here, without a message,
 * as long as there are enough; the primary hears of what is missing at once, and of what is left over soon.
 */
export class CapacityLeases implements CapacitySource {
  private readonly leases = new Map<string, Lease>();
  private readonly send: (demands: readonly CapacityDemand[]) => void;
  private immediate: NodeJS.Immediate | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(send: (demands: readonly CapacityDemand[]) => void) {
    this.send = send;
  }

  /** The capacity of a server; the same as long as the worker lives, also over reloads. */
  of(upstream: string, server: string): ServerCapacity {
    const key = capacityKey(upstream, server);
    let lease = this.leases.get(key);
    if (lease === undefined) this.leases.set(key, (lease = new Lease(key, this)));
    return lease;
  }

  /** The primary has granted or recalled leases. */
  receive(orders: readonly CapacityOrder[]): void {
    for (const order of orders) this.leases.get(order.key)?.receive(order);
  }

  /** Says what has changed, with everything else that changes until then. */
  report(urgent: boolean): void {
    if (urgent) this.immediate ??= setImmediate(() => this.flush());
    else this.timer ??= setTimeout(() => this.flush(), lessMs).unref();
  }

  private flush(): void {
    clearImmediate(this.immediate);
    clearTimeout(this.timer);
    this.immediate = this.timer = undefined;
    const now = performance.now();
    const demands: CapacityDemand[] = [];
    for (const lease of this.leases.values()) {
      const demand = lease.settle(now);
      if (demand !== undefined) demands.push(demand);
      if (lease.hasIdle) this.report(false);
    }
    if (demands.length > 0) this.send(demands);
  }
}

/** Identifies a server in the messages about capacity. Names of upstreams hold no space. */
export function capacityKey(upstream: string, server: string): string {
  return `${upstream} ${server}`;
}

class Lease implements ServerCapacity {
  readonly key: string;
  held = 0;
  onChange: (() => void) | undefined;
  private readonly leases: CapacityLeases;
  private limit = 0;
  private reportedLimit = 0;
  private busy = 0;
  private waiting = 0;
  private recalled = 0;
  /** Given back and not reported yet. */
  private returned = 0;
  /** What the primary was told last. */
  private reported = 0;
  private turnEndsAt = 0;
  /** When every lease was in use last. */
  private fullAt = 0;

  constructor(key: string, leases: CapacityLeases) {
    this.key = key;
    this.leases = leases;
  }

  get isFree(): boolean {
    return this.busy < this.held;
  }

  get hasIdle(): boolean {
    return this.held > this.busy;
  }

  configure(limit: number): void {
    this.limit = limit;
    if (this.reportedLimit !== 0) this.leases.report(true);
  }

  take(): void {
    this.busy++;
    if (this.busy === this.held) this.fullAt = performance.now();
  }

  giveBack(): void {
    if (this.busy === this.held) this.fullAt = performance.now();
    this.busy--;
    this.obeyRecall();
    this.leases.report(false);
  }

  want(waiting: number): void {
    this.waiting = waiting;
    if (waiting === 0) this.obeyRecall();
    else if (this.hasIdle) this.leases.report(false);
    const wanted = this.busy + waiting;
    if (wanted > this.held && wanted > this.reported) this.leases.report(true);
    else if (wanted < this.reported) this.leases.report(false);
  }

  receive({ granted, recalled }: CapacityOrder): void {
    if (granted > 0) {
      this.held += granted;
      const now = performance.now();
      this.turnEndsAt = now + turnMs;
      this.fullAt = now;
      // Should nobody want it any more, it goes back in time.
      this.leases.report(false);
    }
    this.recalled = Math.min(recalled, this.held);
    if (granted > 0) this.onChange?.();
    this.obeyRecall();
  }

  /** @returns what the primary has to know, if anything */
  settle(now: number): CapacityDemand | undefined {
    const idle = this.held - this.busy;
    if (this.waiting === 0 && now - this.fullAt >= idleMs) this.drop(idle);
    else if (this.waiting === 0 || now >= this.turnEndsAt) this.drop(Math.min(idle, this.recalled));
    const wanted = this.busy + this.waiting;
    const isNew = this.reportedLimit !== 0 && this.limit !== this.reportedLimit;
    if (wanted === this.reported && this.returned === 0 && !isNew) return undefined;
    const demand = { key: this.key, limit: this.limit, wanted, returned: this.returned };
    this.reported = wanted;
    this.reportedLimit = this.limit;
    this.returned = 0;
    return demand;
  }

  /** Gives back what is recalled and free; its own queue may use it until the turn ends. */
  private obeyRecall(): void {
    if (this.recalled === 0) return;
    if (this.waiting > 0 && performance.now() < this.turnEndsAt) return;
    this.drop(Math.min(this.recalled, this.held - this.busy));
    if (this.returned > 0) this.leases.report(true);
  }

  private drop(count: number): void {
    if (count <= 0) return;
    this.held -= count;
    this.recalled = Math.max(0, this.recalled - count);
    this.returned += count;
    this.onChange?.();
  }
}
