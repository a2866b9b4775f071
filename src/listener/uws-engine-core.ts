import { Cork } from './cork.ts';
import type { EngineTimeouts } from './engine.ts';
import { EngineCore } from './engine-core.ts';
import type { ExchangeHandler } from './exchange.ts';
import type { UwsCorkAnchor } from './uws-cork-anchor.ts';
import type { UwsExchange } from './uws-exchange.ts';

/** What the exchanges of an engine on uWebSockets.js share. */
export class UwsEngineCore extends EngineCore {
  readonly cork = new Cork();
  /** Most bytes given to uWebSockets.js in one write of a chunked body. */
  readonly pieceBytes: number;
  /** When a response ended last whose client was slow: its tail may still be in memory. */
  pressureEndedAt = Number.NEGATIVE_INFINITY;
  /** Where upgrades are corked in the compatibility build; undefined where a response's own cork does no harm. */
  readonly upgradeAnchor: UwsCorkAnchor | undefined;

  constructor(handler: ExchangeHandler, timeouts: EngineTimeouts, pieceBytes: number, upgradeAnchor?: UwsCorkAnchor) {
    super(handler, timeouts);
    this.pieceBytes = pieceBytes;
    this.upgradeAnchor = upgradeAnchor;
  }

  /** Whether requests may be shown to the handler before they are read whole. */
  get glances(): boolean {
    // A connection that is closed behind the response takes its request along, which the log may want to read yet.
    return this.handler.glance !== undefined && !this.draining;
  }

  /** @returns whether the handler has answered a request whose fields nobody has checked */
  glance(exchange: UwsExchange): boolean {
    if (!this.start(exchange)) return true;
    try {
      return this.handler.glance?.(exchange) ?? false;
    } catch (error) {
      // What has not begun to be answered is tried again, read whole.
      if (exchange.responded || exchange.over) exchange.fail(error);
      return exchange.responded || exchange.over;
    }
  }

  pressureEnded(): void {
    this.pressureEndedAt = performance.now();
  }
}
