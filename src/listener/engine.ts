import type { ListenAddress } from '../config/config.ts';
import type { TlsTerminator } from '../tls/tls-terminator.ts';
import type { ExchangeHandler } from './exchange.ts';
import type { PaceLimit } from './send-pace.ts';

/** An HTTP server implementation behind the exchange interface. One per worker. */
export interface Engine {
  /** Which implementation and build, for the start-up line and /status: `uWebSockets.js 20.69.0`. */
  readonly name: string;
  /** Requests handed to the handler and not finished yet, open WebSockets and tunnels among them. */
  readonly inFlight: number;
  /** Connections, and streams of them, that speak another protocol by now: WebSockets and tunnels. */
  readonly switched: number;
  /** Connections open now. */
  readonly connections: number;

  /**
   * Opens a listening socket, shared with the other workers (SO_REUSEPORT).
   * @param tls for an address that speaks HTTPS
   * @returns the port, also where the address says 0
   * @throws Error with a message for the operator when the address cannot be bound
   */
  listen(address: ListenAddress, tls?: TlsTerminator): Promise<number>;
  /** Closes the listening socket of that configured address; its connections live on. */
  unlisten(address: ListenAddress): void;
  /** Takes new timeouts, at reload. */
  configure(timeouts: EngineTimeouts): void;
  /**
   * Stops accepting, announces `Connection: close` on what is answered from now on, and closes each connection behind its
   * response. Resolves when nothing is in flight any more and everything written has left; idle connections may be open still.
   */
  drain(): Promise<void>;
  /** Has every WebSocket closed with 1001 and every tunnel cut, and each that opens later. `drain` alone waits for them. */
  closeSwitched(): void;
  /** Cuts every connection. */
  close(): void;
}

export interface EngineTimeouts extends PaceLimit {
  /** Longest silence within a request body, milliseconds. */
  readonly requestBodyMs: number;
  /** Longest time in which a client takes no byte, milliseconds. */
  readonly sendMs: number;
  /** Bytes a second of a request body on average, once the grace has passed; 0 for none. */
  readonly minBodyRate: number;
  readonly minBodyRateGraceMs: number;
  /** Largest WebSocket message that any route takes, bytes; 1 MB when left out. */
  readonly webSocketMessageBytes?: number;
  /** Longest time in which a request's head must come, milliseconds; 10 s when left out. Not on uWebSockets.js. */
  readonly requestHeadMs?: number;
  /** How long a connection may wait for its next request, milliseconds; 75 s when left out. Not on uWebSockets.js. */
  readonly keepAliveMs?: number;
  /** Most requests on one HTTP/1 connection; any number when left out. Not on uWebSockets.js. */
  readonly requestsPerConnection?: number;
  /** Requests under way at a time on one HTTP/2 connection; 128 when left out. */
  readonly http2Streams?: number;
  /** Requests a second that may be taken back on one HTTP/2 connection; 40 when left out. */
  readonly http2Resets?: number;
  /** Most bytes in a request's head; 32 KB when left out. uWebSockets.js reads it from its environment. */
  readonly requestHeadBytes?: number;
}

/** Makes an engine. The contract suite takes one of these as its parameter. */
export type EngineFactory = (handler: ExchangeHandler, timeouts: EngineTimeouts) => Engine;
