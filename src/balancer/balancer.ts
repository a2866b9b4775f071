/** What a balancer knows of a server. Times are of `performance.now()`. */
export interface BalancedServer {
  /** Share of the requests relative to the others, at least 1. */
  readonly weight: number;
  /** State of smooth weighted round-robin; kept with the server so that it outlives reloads and is one for all routes. */
  currentWeight: number;
  /** It refused a connection and is passed over until then; 0 when it is not. */
  readonly backedOffUntil: number;
  /** When it refused a connection last. */
  readonly failedAt: number;
}

/** Chooses the server of a request. Makes no system call and keeps no clock: `now` is given. */
export interface Balancer {
  /**
   * Passes over servers that are backed off, unless all are: then the one that failed longest ago is taken all the same.
   * @param tried servers that this request has failed on; passed over while there are others
   * @returns undefined only when there is no server at all
   */
  pick<S extends BalancedServer>(servers: readonly S[], now: number, tried?: readonly S[]): S | undefined;
}
