import type { ChallengeResponse } from '../acme/challenge-response.ts';
import type { CacheExplanation } from '../cache/cache-explanation.ts';
import type { FetchEnd } from '../cache/collapse/fetch-locks.ts';
import type { PurgeOrder, PurgeRequest } from '../cache/purge.ts';
import type { CacheOrder, CacheReport } from '../cache/store/store-messages.ts';
import type { StoredResponse } from '../cache/stored-response.ts';
import type { Config, ListenAddress } from '../config/config.ts';
import type { MetricDelta } from '../metrics/delta.ts';
import type { StapleEntry } from '../ocsp/ocsp-staples.ts';
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
      /** Every order to purge that counts, so that a new worker knows them before it serves. */
      readonly cachePurges?: readonly PurgeOrder[];
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
  /** Orders to purge, obeyed at once, and numbers of those that may be forgotten. Answered by `cache-purged`. */
  | {
      readonly type: 'cache-purge';
      readonly round: number;
      readonly orders: readonly PurgeOrder[];
      readonly retired: readonly number[];
    }
  /** What is stored for a request; names in lower case and values in `fields`. Answered by `cache-explained`. */
  | { readonly type: 'cache-explain'; readonly id: number; readonly url: string; readonly fields: readonly string[] }
  /** The answer to `cache-purge-wanted` with that number: kept, and obeyed by every worker. */
  | { readonly type: 'cache-purge-done'; readonly id: number; readonly error?: string }
  /** What the keeper of the stores has to say: space, what others removed. Of the zones' folders ahead of the configuration. */
  | { readonly type: 'cache-store'; readonly orders: readonly CacheOrder[] }
  /** About the lock that the worker asked for under that number. */
  | { readonly type: 'cache-lock'; readonly id: number; readonly answer: CacheLockAnswer }
  /** What all workers together counted for limits of rates. */
  | { readonly type: 'rates'; readonly zones: readonly ZoneDebts[] }
  /** What the other workers hold of limits of things at a time. */
  | { readonly type: 'holds'; readonly zones: readonly ZoneHolds[] }
  /** What is stapled to certificates from now on, all of it. */
  | { readonly type: 'ocsp-staples'; readonly staples: readonly StapleEntry[] }
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
  /** Locks by which one worker alone fetches what is in no store. */
  | { readonly type: 'cache-lock'; readonly id: number; readonly call: CacheLockCall }
  /** What the keeper of the stores has to know: stored, removed and used entries, space wanted. */
  | { readonly type: 'cache-store'; readonly reports: readonly CacheReport[] }
  /** The answer to `cache-explain`; text where there is none. */
  | { readonly type: 'cache-explained'; readonly id: number; readonly explanation: CacheExplanation | string }
  /** The orders of that round are obeyed. */
  | { readonly type: 'cache-purged'; readonly round: number }
  /**
   * A client wants something purged (PURGE), or has changed it with an unsafe method. `time` is that of the orders. Answered
   * by `cache-purge-done` where there is a number.
   */
  | {
      readonly type: 'cache-purge-wanted';
      readonly id?: number;
      readonly time: number;
      readonly requests: readonly PurgeRequest[];
    }
  /** What it counted for limits of rates since it said something last. */
  | { readonly type: 'rates'; readonly zones: readonly ZoneCounts[] }
  /** What it holds now of limits of things at a time, as far as that has changed. */
  | { readonly type: 'holds'; readonly zones: readonly ZoneHolds[] }
  /** It answers those challenges. */
  | { readonly type: 'acme-challenges'; readonly id: number }
  /** Everything is closed; the process ends. `cut`: requests that the time did not suffice for. */
  | { readonly type: 'drained'; readonly cut?: number };

/** What a worker says about a lock; its numbers are its own. */
export type CacheLockCall =
  /** It wants to fetch what nothing was stored for at `lookedAt` (milliseconds since 1970). */
  | {
      readonly kind: 'ask';
      readonly zone: string;
      readonly key: string;
      readonly wait: boolean;
      readonly lookedAt: number;
    }
  /** It has the lock, and gets a response that others can read along. */
  | { readonly kind: 'offer'; readonly response: FollowedResponse }
  | { readonly kind: 'progress'; readonly written: number; readonly complete: boolean }
  /** It gives it back, or does not wait for it any more. */
  | { readonly kind: 'end'; readonly end: FetchEnd };

/** What a worker is told about a lock. */
export type CacheLockAnswer =
  /** It is its turn. */
  | { readonly kind: 'granted' }
  /** Another worker has it; it is the turn of this one some time. */
  | { readonly kind: 'waits' }
  /** Another worker has it, and this one did not want to wait. */
  | { readonly kind: 'busy' }
  /** To the one that has it: others want to read along. */
  | { readonly kind: 'wanted' }
  | { readonly kind: 'following'; readonly response: FollowedResponse }
  | { readonly kind: 'progress'; readonly written: number; readonly complete: boolean }
  /** What was read along will not be completed. */
  | { readonly kind: 'lost' }
  /** It is stored now, or found to be nothing to store; the lock is gone. */
  | { readonly kind: 'stored' }
  | { readonly kind: 'uncacheable'; readonly rememberMs: number };

/** A response that one worker gets and stores, so that others can read along in its file. */
export interface FollowedResponse {
  readonly response: Omit<StoredResponse, 'bodyLength'>;
  /** Names in lower case, sorted. */
  readonly varyNames: readonly string[];
  readonly file: { readonly path: string; readonly bodyOffset: number };
  /** Bytes of body that are in the file. */
  readonly written: number;
  /** Bytes of the whole body when they are known. */
  readonly length: number | undefined;
}

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
