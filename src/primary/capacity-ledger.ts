import type { CapacityDemand, CapacityOrder } from '../ipc/message.ts';

/** One worker's part in the capacity of a server. */
interface Holder {
  /** The limit that it has been configured with. */
  limit: number;
  leased: number;
  wanted: number;
  recalled: number;
  /** When it got a lease last, in grants. */
  turn: number;
}

/** Tells a worker; called once at most for each worker and server in each call of the ledger. */
export type TellWorker = (worker: number, order: CapacityOrder) => void;

/**
 * Who has how much of the `maxConnections` of each server: a lease is the right to one request at a time. Leases of a
 * dead worker are free at once, and all together never exceed the limit, except for as long as requests under way do that a
 * lower limit came upon. Pure: the messages are the caller's.
 */
export class CapacityLedger {
  private readonly tell: TellWorker;
  private readonly servers = new Map<string, LeasedServer>();

  constructor(tell: TellWorker) {
    this.tell = tell;
  }

  /** A worker has said what it needs and what not any more. */
  told(worker: number, demand: CapacityDemand): void {
    const server = this.server(demand.key);
    server.told(worker, demand);
    server.settle(this.tell);
    this.forgetUnused(server);
  }

  died(worker: number): void {
    for (const server of this.servers.values()) {
      if (!server.holders.delete(worker)) continue;
      server.settle(this.tell);
      this.forgetUnused(server);
    }
  }

  /** Leases given out. */
  leased(key: string): number {
    return this.servers.get(key)?.leased ?? 0;
  }

  private server(key: string): LeasedServer {
    let server = this.servers.get(key);
    if (server === undefined) this.servers.set(key, (server = new LeasedServer(key)));
    return server;
  }

  private forgetUnused(server: LeasedServer): void {
    if (server.holders.size === 0) this.servers.delete(server.key);
  }
}

class LeasedServer {
  readonly key: string;
  readonly holders = new Map<number, Holder>();
  private turns = 0;

  constructor(key: string) {
    this.key = key;
  }

  get leased(): number {
    let sum = 0;
    for (const { leased } of this.holders.values()) sum += leased;
    return sum;
  }

  /** While a reload goes through the workers one after the other, the lowest limit counts. */
  get limit(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { limit } of this.holders.values()) lowest = Math.min(lowest, limit);
    return lowest;
  }

  told(worker: number, { limit, wanted, returned }: CapacityDemand): void {
    let holder = this.holders.get(worker);
    if (holder === undefined) {
      holder = { limit, leased: 0, wanted: 0, recalled: 0, turn: 0 };
      this.holders.set(worker, holder);
    }
    holder.limit = limit;
    // A worker cannot give back what it does not have, whatever it says.
    holder.leased = Math.max(0, holder.leased - returned);
    holder.recalled = Math.max(0, holder.recalled - returned);
    holder.wanted = wanted;
    if (holder.leased === 0 && wanted === 0) this.holders.delete(worker);
  }

  /** Gives out what is free, and recalls what others should have instead. */
  settle(tell: TellWorker): void {
    const granted = this.grant();
    const recalled = this.recall();
    for (const worker of new Set([...granted.keys(), ...recalled])) {
      const holder = this.holders.get(worker);
      if (holder === undefined) continue;
      tell(worker, { key: this.key, granted: granted.get(worker) ?? 0, recalled: holder.recalled });
    }
  }

  private grant(): Map<number, number> {
    const granted = new Map<number, number>();
    for (let free = this.limit - this.leased; free > 0; free--) {
      const needy = this.neediest();
      if (needy === undefined) break;
      const [worker, holder] = needy;
      holder.leased += 1;
      holder.turn = ++this.turns;
      granted.set(worker, (granted.get(worker) ?? 0) + 1);
    }
    return granted;
  }

  /** Who wants more and has least; of those, who has waited longest for a lease. */
  private neediest(): [number, Holder] | undefined {
    let best: [number, Holder] | undefined;
    for (const entry of this.holders) {
      const [, holder] = entry;
      if (holder.wanted <= holder.leased) continue;
      if (best === undefined || comesBefore(holder, best[1])) best = entry;
    }
    return best;
  }

  /** @returns the workers whose number of recalled leases has changed */
  private recall(): number[] {
    const shares = this.fairShares();
    const isNeeded = this.leased > this.limit || this.someoneLacks(shares);
    const changed: number[] = [];
    for (const [worker, holder] of this.holders) {
      const recalled = isNeeded ? Math.max(0, holder.leased - (shares.get(worker) ?? 0)) : 0;
      if (recalled === holder.recalled) continue;
      holder.recalled = recalled;
      changed.push(worker);
    }
    return changed;
  }

  private someoneLacks(shares: ReadonlyMap<number, number>): boolean {
    for (const [worker, holder] of this.holders) if (holder.leased < (shares.get(worker) ?? 0)) return true;
    return false;
  }

  /**
   * What each worker should have: the same for all, but nobody more than it wants. Where the limit is smaller than the
   * number of those who want something, they take turns: those who have waited longest are next.
   */
  private fairShares(): Map<number, number> {
    const shares = new Map<number, number>();
    let rest = this.limit;
    let open = [...this.holders].filter(([, { wanted }]) => wanted > 0);
    while (rest > 0 && open.length > 0) {
      const each = Math.floor(rest / open.length);
      if (each === 0) {
        for (const [worker] of open.toSorted(inTurn(shares)).slice(0, rest)) add(shares, worker, 1);
        return shares;
      }
      for (const [worker, { wanted }] of open) {
        const more = Math.min(each, wanted - (shares.get(worker) ?? 0));
        add(shares, worker, more);
        rest -= more;
      }
      open = open.filter(([worker, { wanted }]) => (shares.get(worker) ?? 0) < wanted);
    }
    return shares;
  }
}

function comesBefore(one: Holder, other: Holder): boolean {
  return one.leased === other.leased ? one.turn < other.turn : one.leased < other.leased;
}

/** An odd lease goes from one to the other only where it would be the only one: elsewhere it stays where it is. */
function inTurn(shares: ReadonlyMap<number, number>) {
  return ([one, a]: [number, Holder], [, b]: [number, Holder]): number => {
    if ((shares.get(one) ?? 0) > 0 && a.leased !== b.leased) return b.leased - a.leased;
    return a.turn - b.turn;
  };
}

function add(shares: Map<number, number>, worker: number, amount: number): void {
  shares.set(worker, (shares.get(worker) ?? 0) + amount);
}
