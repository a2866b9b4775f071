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
  /** SIGUSR2: open the log files anew. */
  | { readonly type: 'reopen-logs' }
  /**
   * What the operator says about a server at run time, instead of the configuration; `configured` takes that back. It
   * outlives reloads; a new worker has to be told again. A server that does not exist is passed over.
   */
  | ({ readonly type: 'server-state' } & ServerStateOrder);

/** Everything a worker says to the primary. */
export type ToPrimary =
  | { readonly type: 'hello'; readonly pid: number; readonly engine: string; readonly warning?: string }
  /** The configuration of that generation serves; every listener is open. */
  | { readonly type: 'configured'; readonly generation: number }
  /** It does not, and the former one (if any) goes on. */
  | { readonly type: 'refused'; readonly generation: number; readonly error: string }
  /** A report; `id` when it was asked for. */
  | { readonly type: 'metrics'; readonly id?: number; readonly delta: MetricDelta; readonly state: WorkerState }
  /** Everything is closed; the process ends. `cut`: requests that the time did not suffice for. */
  | { readonly type: 'drained'; readonly cut?: number };

/** What was said of one server while the program runs. */
export interface ServerStateOrder {
  readonly upstream: string;
  /** The server's name: `127.0.0.1:8000`, `unix:/run/app.sock`. */
  readonly server: string;
  readonly state: AdministrativeState | 'configured';
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
