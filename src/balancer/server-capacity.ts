/** The part of a server's `maxConnections` that this worker has: leases, each the right to one request at a time. */
export interface ServerCapacity {
  /** Leases that this worker has, in use or not. */
  readonly held: number;
  /** Whether one is free. */
  readonly isFree: boolean;
  /** Told when `held` has changed other than by a call from the same side. One slot. */
  onChange: (() => void) | undefined;
  /** `maxConnections`, the same for all workers. */
  configure(limit: number): void;
  /** A request goes to the server. Only when one is free. */
  take(): void;
  /** It is over. */
  giveBack(): void;
  /** So many requests wait for this server or another one of its upstream. */
  want(waiting: number): void;
}

/** Where the capacities of servers come from. */
export interface CapacitySource {
  /** The same one for the same names. */
  of(upstream: string, server: string): ServerCapacity;
}
