import type { ChallengeResponse } from '../acme/challenge-response.ts';
import type { Config, ListenAddress } from '../config/config.ts';
import type { MetricDelta } from '../metrics/delta.ts';
import type { AdministrativeState } from '../upstream/availability.ts';

/** Everything the primary says to a worker. */
export type ToWorker =
  /** First message, and again at each reload. Answered by `configured`. Ports are never 0 here. */
  | {
      readonly type: 'configure';
      readonly generation: number;
      readonly config: Config;
      /** What the operator said of servers while the program runs; all of it, so that a new worker knows it too. */
      readonly serverStates?: readonly ServerStateOrder[];
    }
  /**
   * Stop accepting, finish what is in flight, answer `drained` and exit. With `awaitIdle` connections that are idle are
   * waited for as well, because another worker takes the new ones and nobody is in a hurry.
   */
  | { readonly type: 'drain'; readonly timeoutMs: number; readonly awaitIdle?: boolean }
  /** Answered by `metrics` at once, besides the regular reports. */
  | { readonly type: 'report'; readonly id: number }
  /** The key for TLS session tickets: before the first configuration, and each time that it changes. 48 bytes. */
  | { readonly type: 'ticket-key'; readonly key: Uint8Array }
  /** SIGUSR2: open the log files anew. */
  | { readonly type: 'reopen-logs' }
  /** What active checks found: before the first configuration and after a reload all of it, else what changed. */
  | ({ readonly type: 'health' } & HealthReport)
  /**
   * What the operator says about a server at run time, instead of the configuration; `configured` takes that back. It
   * outlives reloads; a new worker has to be told again. A server that does not exist is passed over.
   */
  | ({ readonly type: 'server-state' } & ServerStateOrder)
  /** Leases of `maxConnections`, granted and recalled. */
  | { readonly type: 'capacity'; readonly orders: readonly CapacityOrder[] }
  /** What all workers together counted for limits of rates. */
  | { readonly type: 'rates'; readonly zones: readonly ZoneDebts[] }
  /** What the other workers hold of limits of things at a time. */
  | { readonly type: 'holds'; readonly zones: readonly ZoneHolds[] }
  /** What authorities of certificates are to be answered from now on, all of it. Answered by the same `id`. */
  | { readonly type: 'acme-challenges'; readonly id: number; readonly responses: readonly ChallengeResponse[] };

/** Everything a worker says to the primary. */
export type ToPrimary =
  | { readonly type: 'hello'; readonly pid: number; readonly engine: string; readonly warning?: string }
  /** The configuration of that generation serves; every listener is open. */
  | { readonly type: 'configured'; readonly generation: number }
  /** It does not, and the former one (if any) goes on. */
  | { readonly type: 'refused'; readonly generation: number; readonly error: string }
  /** A report; `id` when it was asked for. */
  | { readonly type: 'metrics'; readonly id?: number; readonly delta: MetricDelta; readonly state: WorkerState }
  /** What it needs of `maxConnections`, and leases that it gives back. */
  | { readonly type: 'capacity'; readonly demands: readonly CapacityDemand[] }
  /** What it counted for limits of rates since it said something last. */
  | { readonly type: 'rates'; readonly zones: readonly ZoneCounts[] }
  /** What it holds now of limits of things at a time, as far as that has changed. */
  | { readonly type: 'holds'; readonly zones: readonly ZoneHolds[] }
  /** It answers those challenges. */
  | { readonly type: 'acme-challenges'; readonly id: number }
  /** Everything is closed; the process ends. `cut`: requests that the time did not suffice for. */
  | { readonly type: 'drained'; readonly cut?: number };

/** What was said of one server while the program runs. */
export interface ServerStateOrder {
  readonly upstream: string;
  /** The server's name: `127.0.0.1:8000`, `unix:/run/app.sock`. */
  readonly server: string;
  readonly state: AdministrativeState | 'configured';
}

/** What a worker says about its requests at one server with `maxConnections`. A lease is the right to one at a time. */
export interface CapacityDemand {
  /** Names the server, the same in all workers. */
  readonly key: string;
  /** `maxConnections` as the worker knows it. */
  readonly limit: number;
  /** Leases that the worker would use now, those that it has included. */
  readonly wanted: number;
  /** Leases given back since it said something last. */
  readonly returned: number;
}

/** What a worker is told about one server. */
export interface CapacityOrder {
  readonly key: string;
  /** Leases that it has from now on in addition. */
  readonly granted: number;
  /** Leases that others need: to be given back as soon as they are free. Says it all, not what is new. */
  readonly recalled: number;
}

/** Requests of the keys of one zone: `[high, low, requests, …]`, the first two being what names the key. */
export interface ZoneCounts {
  readonly zone: string;
  readonly counts: Float64Array;
}

/** How many of one thing, connections or requests, keys have at a time: `[key, count, …]`. */
export interface ZoneHolds {
  /** `connections`, or `concurrency:` and the name of the zone. */
  readonly zone: string;
  readonly holds: Float64Array;
}

/** How many requests the keys of one zone are ahead of their rate, with fractions: `[high, low, requests, …]`. */
export interface ZoneDebts {
  readonly zone: string;
  readonly debts: Float64Array;
}

/** What active checks found of servers. */
export interface HealthReport {
  /** Whether servers that are not in it are not checked, or not any more. */
  readonly complete: boolean;
  readonly servers: readonly ServerHealth[];
}

export interface ServerHealth {
  readonly upstream: string;
  /** The server's name in the configuration. */
  readonly server: string;
  readonly up: boolean;
  /** Why it is down. */
  readonly reason?: string;
}

/** What /status shows of a worker. */
export interface WorkerState {
  readonly pid: number;
  readonly generation: number;
  readonly inFlight: number;
  readonly connections: number;
  readonly rssBytes: number;
  readonly listeners: readonly ListenAddress[];
  readonly servers: readonly ServerState[];
  readonly admissions?: readonly AdmissionState[];
}

/** The gate in front of an upstream as a worker sees it. */
export interface AdmissionState {
  readonly upstream: string;
  /** Requests that wait because every server is at its `maxConnections`. */
  readonly queued: number;
  /** Requests that wait because no server is up. */
  readonly held: number;
  /** Undefined without a circuit breaker. */
  readonly circuit: 'closed' | 'half-open' | 'open' | undefined;
}

/** One upstream server as a worker sees it. */
export interface ServerState {
  readonly upstream: string;
  readonly server: string;
  readonly up: boolean;
  readonly active: number;
  readonly idle: number;
  readonly weight: number;
  /** The weight for now: less while it starts slowly. */
  readonly effectiveWeight: number;
  readonly backup: boolean;
  /** Whether it takes requests (`up`), or why not. Only of a name that stands for no server yet: `unresolved`. */
  readonly condition: 'up' | 'drain' | 'maintenance' | 'unhealthy' | 'ejected' | 'backed-off' | 'unresolved';
  /** Why it does not take requests. */
  readonly lastError?: string;
}
