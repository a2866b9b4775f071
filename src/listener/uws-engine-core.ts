import { PorticoError } from '../response/portico-error.ts';
import { ChunkPool } from './chunk-pool.ts';
import { Cork } from './cork.ts';
import type { EngineTimeouts } from './engine.ts';
import type { ExchangeHandler } from './exchange.ts';
import { StallWatch } from './stall-watch.ts';
import type { UwsCorkAnchor } from './uws-cork-anchor.ts';
import type { UwsExchange } from './uws-exchange.ts';
import { EmptyRequestBody } from './uws-request-body.ts';
import type { UwsWebSocketPeer } from './uws-websocket-peer.ts';

const defaultWebSocketMessageBytes = 1024 ** 2;

/** What the exchanges of an engine share. */
export class UwsEngineCore {
  readonly handler: ExchangeHandler;
  readonly cork = new Cork();
  readonly chunks = new ChunkPool();
  readonly watch: StallWatch;
  readonly emptyBody = new EmptyRequestBody();
  /** Most bytes given to uWebSockets.js in one write of a chunked body. */
  readonly pieceBytes: number;
  timeouts: EngineTimeouts;
  draining = false;
  /** Open ones. */
  readonly webSockets = new Set<UwsWebSocketPeer>();
  /** WebSockets that open from now on are closed again. */
  closingWebSockets = false;
  /** Requests handed to the handler and not finished. */
  inFlight = 0;
  /** When a response ended last whose client was slow: its tail may still be in memory. */
  pressureEndedAt = Number.NEGATIVE_INFINITY;
  /** Called when nothing is in flight any more. */
  onIdle: (() => void) | undefined = undefined;

  /** Where upgrades are corked in the compatibility build; undefined where a response's own cork does no harm. */
  readonly upgradeAnchor: UwsCorkAnchor | undefined;

  constructor(handler: ExchangeHandler, timeouts: EngineTimeouts, pieceBytes: number, upgradeAnchor?: UwsCorkAnchor) {
    this.upgradeAnchor = upgradeAnchor;
    this.handler = handler;
    this.timeouts = timeouts;
    this.pieceBytes = pieceBytes;
    this.watch = new StallWatch(shortest(timeouts));
  }

  configure(timeouts: EngineTimeouts): void {
    this.timeouts = timeouts;
    this.watch.configure(shortest(timeouts));
  }

  /** Bytes of a WebSocket message from which on uWebSockets.js cuts the connection, before anybody can send a close frame. */
  get maxWebSocketPayload(): number {
    return 2 * (this.timeouts.webSocketMessageBytes ?? defaultWebSocketMessageBytes);
  }

  /** Whether requests may be shown to the handler before they are read whole. */
  get glances(): boolean {
    // A connection that is closed behind the response takes its request along, which the log may want to read yet.
    return this.handler.glance !== undefined && !this.draining;
  }

  /** @returns whether the handler has answered a request whose fields nobody has checked */
  glance(exchange: UwsExchange): boolean {
    if (!this.#start(exchange)) return true;
    try {
      return this.handler.glance?.(exchange) ?? false;
    } catch (error) {
      // What has not begun to be answered is tried again, read whole.
      if (exchange.responded || exchange.over) exchange.fail(error);
      return exchange.responded || exchange.over;
    }
  }

  /** Gives a request to the handler. */
  handle(exchange: UwsExchange): void {
    if (!this.#start(exchange)) return;
    try {
      this.handler.handle(exchange);
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Gives a request to the handler that the engine does not take. */
  refuseMalformed(exchange: UwsExchange, error: PorticoError): void {
    if (this.#start(exchange)) this.refuse(exchange, error);
  }

  /** Has a request answered with an error: one that the engine does not take, or that a defect of the handler has stopped. */
  refuse(exchange: UwsExchange, error: PorticoError): void {
    try {
      this.handler.refuse(exchange, error);
    } catch (cause) {
      this.report(new PorticoError('internal', 'refusing a request has thrown', { cause }));
    }
    // Nobody else will answer it.
    if (!exchange.responded) exchange.abort();
  }

  finish(exchange: UwsExchange): void {
    this.inFlight -= 1;
    try {
      this.handler.finished(exchange);
    } catch (cause) {
      this.report(new PorticoError('internal', 'finishing a request has thrown', { cause }));
    }
    if (this.inFlight === 0) this.onIdle?.();
  }

  /** An exchange has become a WebSocket. */
  upgraded(exchange: UwsExchange, peer: UwsWebSocketPeer): void {
    exchange.guard(() => this.handler.upgraded?.(exchange));
    if (this.closingWebSockets) setImmediate(() => peer.leave());
  }

  closeWebSockets(): void {
    this.closingWebSockets = true;
    for (const peer of this.webSockets) peer.leave();
  }

  pressureEnded(): void {
    this.pressureEndedAt = performance.now();
  }

  /** A defect that no response tells about. */
  report(error: PorticoError): void {
    process.emitWarning(error.cause instanceof Error ? error.cause : error);
  }

  /** @returns false when the client has gone before anybody saw the request */
  #start(exchange: UwsExchange): boolean {
    if (exchange.over) return false;
    if (exchange.started) return true;
    exchange.started = true;
    this.inFlight += 1;
    return true;
  }
}

function shortest({ requestBodyMs, sendMs, minBodyRate, minBodyRateGraceMs }: EngineTimeouts): number {
  return Math.min(requestBodyMs, sendMs, minBodyRate === 0 ? sendMs : Math.max(1000, minBodyRateGraceMs));
}
