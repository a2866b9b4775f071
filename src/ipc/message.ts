import type { Config, ListenAddress } from '../config/config.ts';
import type { MetricDelta } from '../metrics/delta.ts';

/** Everything the primary says to a worker. */
export type ToWorker =
  /** First message, and again at each reload. Answered by `configured`. Ports are never 0 here. */
  | { readonly type: 'configure'; readonly generation: number; readonly config: Config }
  /** Stop accepting, finish what is in flight, answer `drained` and exit. */
  | { readonly type: 'drain'; readonly timeoutMs: number }
  /** Answered by `metrics` at once, besides the regular reports. */
  | { readonly type: 'report'; readonly id: number }
  /** SIGUSR2: open the log files anew. */
  | { readonly type: 'reopen-logs' };

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
  /** Why it is backed off. */
  readonly lastError?: string;
}
