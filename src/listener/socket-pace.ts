import type { Socket } from 'node:net';
import type { NodeEngineCore } from './node-engine-core.ts';
import { SendPace } from './send-pace.ts';

/** Whether the client behind a socket takes what is sent to it, and fast enough. */
export class SocketPace {
  readonly #core: NodeEngineCore;
  readonly #socket: Socket;
  readonly #pace = new SendPace();

  constructor(core: NodeEngineCore, socket: Socket) {
    this.#core = core;
    this.#socket = socket;
  }

  /** The client is not waited for. */
  rest(): void {
    this.#pace.rest();
  }

  /**
   * The client is waited for. What is wrong with it is counted.
   * @param stalledSince `performance.now()` when it took something last, where the socket is full
   */
  fails(now: number, stalledSince: number): boolean {
    const { timeouts } = this.#core;
    const { bytesWritten, writableLength } = this.#socket;
    const stalled = now - stalledSince > timeouts.sendMs;
    if (!stalled && !this.#pace.isTooSlow(now, bytesWritten - writableLength, timeouts)) return false;
    this.#core.cut(stalled ? 'send_timeout' : 'send_rate');
    return true;
  }
}
