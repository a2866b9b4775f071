import { PorticoError } from '../response/portico-error.ts';
import { ChunkPool } from './chunk-pool.ts';
import type { EngineTimeouts } from './engine.ts';
import type { CutReason, Exchange, ExchangeHandler } from './exchange.ts';
import { EmptyRequestBody } from './incoming-body.ts';
import { StallWatch } from './stall-watch.ts';

const defaultWebSocketMessageBytes = 1024 ** 2;

/** An exchange as the engine that made it sees it. */
export interface EngineExchange extends Exchange {
  /** The handler has been called. */
  started: boolean;
  /** The exchange has ended, one way or the other. */
  readonly over: boolean;
  /** Runs a step that a defect may make throw: then the client gets 500, or is cut off when it has got something already. */
  guard(step: (() => void) | undefined): void;
  fail(cause: unknown): void;
}

/** An open WebSocket that can be asked to close, or a tunnel. */
export interface LeavablePeer {
  leave(): void;
}

/** What the exchanges of an engine share. */
export class EngineCore {
  readonly handler: ExchangeHandler;
  readonly chunks = new ChunkPool();
  readonly watch: StallWatch;
  readonly emptyBody = new EmptyRequestBody();
  timeouts: EngineTimeouts;
  draining = false;
  /** WebSockets and tunnels that are open. */
  readonly switched = new Set<LeavablePeer>();
  /** Those that open from now on are closed again. */
  closingSwitched = false;
  /** Requests handed to the handler and not finished. */
  inFlight = 0;
  /** Called when nothing is in flight any more. */
  onIdle: (() => void) | undefined = undefined;

  constructor(handler: ExchangeHandler, timeouts: EngineTimeouts) {
    this.handler = handler;
    this.timeouts = timeouts;
    this.watch = new StallWatch(shortest(timeouts));
  }

  configure(timeouts: EngineTimeouts): void {
    this.timeouts = timeouts;
    this.watch.configure(shortest(timeouts));
  }

  /** Bytes of a WebSocket message from which on the connection is cut, before anybody can send a close frame. */
  get maxWebSocketPayload(): number {
    return 2 * (this.timeouts.webSocketMessageBytes ?? defaultWebSocketMessageBytes);
  }

  /** Gives a request to the handler. */
  handle(exchange: EngineExchange): void {
    if (!this.start(exchange)) return;
    try {
      this.handler.handle(exchange);
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Gives a request to the handler that the engine does not take. */
  refuseMalformed(exchange: EngineExchange, error: PorticoError): void {
    if (this.start(exchange)) this.refuse(exchange, error);
  }

  /** Has a request answered with an error: one that the engine does not take, or that a defect of the handler has stopped. */
  refuse(exchange: EngineExchange, error: PorticoError): void {
    try {
      this.handler.refuse(exchange, error);
    } catch (cause) {
      this.report(new PorticoError('internal', 'refusing a request has thrown', { cause }));
    }
    // Nobody else will answer it.
    if (!exchange.responded) exchange.abort();
  }

  finish(exchange: EngineExchange): void {
    this.inFlight -= 1;
    try {
      this.handler.finished(exchange);
    } catch (cause) {
      this.report(new PorticoError('internal', 'finishing a request has thrown', { cause }));
    }
    if (this.inFlight === 0) this.onIdle?.();
  }

  /** An exchange has become a WebSocket or a tunnel. */
  upgraded(exchange: EngineExchange, peer: LeavablePeer): void {
    exchange.guard(() => this.handler.upgraded?.(exchange));
    if (this.closingSwitched) setImmediate(() => peer.leave());
  }

  closeSwitched(): void {
    this.closingSwitched = true;
    for (const peer of this.switched) peer.leave();
  }

  /** A client is cut for what it did or left out. */
  cut(reason: CutReason): void {
    this.handler.connections?.cut?.(reason);
  }

  /** A defect that no response tells about. */
  report(error: PorticoError): void {
    process.emitWarning(error.cause instanceof Error ? error.cause : error);
  }

  /** @returns false when the client has gone before anybody saw the request */
  protected start(exchange: EngineExchange): boolean {
    if (exchange.over) return false;
    if (exchange.started) return true;
    exchange.started = true;
    this.inFlight += 1;
    return true;
  }
}

function shortest(timeouts: EngineTimeouts): number {
  const { requestBodyMs, sendMs, minBodyRate, minBodyRateGraceMs } = timeouts;
  const { minSendRate = 0, minSendRateGraceMs = sendMs } = timeouts;
  const bodyMs = minBodyRate === 0 ? sendMs : Math.max(1000, minBodyRateGraceMs);
  return Math.min(requestBodyMs, sendMs, bodyMs, minSendRate === 0 ? sendMs : Math.max(1000, minSendRateGraceMs));
}
