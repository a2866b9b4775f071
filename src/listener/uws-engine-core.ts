import { Cork } from './cork.ts';
import type { EngineTimeouts } from './engine.ts';
import { EngineCore } from './engine-core.ts';
import type { ExchangeHandler } from './exchange.ts';
import type { UwsCorkAnchor } from './uws-cork-anchor.ts';

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

  pressureEnded(): void {
    this.pressureEndedAt = performance.now();
  }
}
