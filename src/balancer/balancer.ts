import type { RequestContext } from '../request/request-context.ts';

/** What a balancer knows of a server. Times are of `performance.now()`, latencies in milliseconds. */
export interface BalancedServer {
  /** Identifies the server within its upstream, the same in all workers and after a reload. */
  readonly name: string;
  /** Share of the requests relative to the others, at least 1. */
  readonly weight: number;
  /** Servers of a level are used only while none of a lower one may take a request: 0 is first, a `backup` has more. */
  readonly level: number;
  /** Requests of this worker that it works on. */
  readonly active: number;
  /** Set by the admission while the server has as many requests as it may have. */
  readonly saturated: boolean;
  /** State of smooth weighted round-robin; kept with the server so that it outlives reloads and is one for all routes. */
  currentWeight: number;
  /** When it failed last; `-Infinity` or 0 when it never did. */
  readonly failedAt: number;
  /** Whether it is neither drained nor in maintenance. */
  readonly inService: boolean;
  /** Whether it takes requests: in service, not known to be down, not backed off, not ejected. Says nothing of `saturated`. */
  mayTake(now: number): boolean;
  /** Like `mayTake`, for a session that it has already: true for a server that is drained as well. */
  mayKeep(now: number): boolean;
  /** The weight it has for now: less than `weight` while it starts slowly. Above 0. */
  effectiveWeight(now: number): number;
  /** How long it is expected to take, 0 when nothing is known. */
  latencyMs(now: number): number;
}

/** For whom a server is chosen. An `Applicant` is one. */
export interface Selection<S extends BalancedServer = BalancedServer> {
  /** Keys of hashes and cookies of sessions come from here. */
  readonly context: RequestContext;
  /** Servers that the request has failed on; passed over while there are others. */
  readonly tried: readonly S[] | undefined;
}

/** Chooses the server of a request. Makes no system call and keeps no clock: `now` is given. Allocates nothing. */
export interface Balancer<S extends BalancedServer = BalancedServer> {
  /**
   * A server that may take a request now and is not saturated; one that was tried only when there is no other one.
   * @returns undefined when there is none: the request has to wait, or to go to `lastResort`
   */
  pick(servers: readonly S[], now: number, selection: Selection<S>): S | undefined;
}
