import { closeCodes } from '../http/close-code.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { UwsWebSocket } from './uws-api.ts';
import type { UwsExchange } from './uws-exchange.ts';
import type { WebSocketPeer, WebSocketSink } from './websocket.ts';

/** What uWebSockets.js says of a close frame with a code that it does not know: 1012 to 1014 and 3000 to 3999 among them. */
const unknownCode = 'Received invalid close payload';

/** A client's WebSocket over uWebSockets.js. The native object is let go the moment it dies: any use after that throws. */
export class UwsWebSocketPeer implements WebSocketPeer {
  readonly #exchange: UwsExchange;
  readonly #sink: WebSocketSink;
  #socket: UwsWebSocket | undefined;
  #over = false;

  constructor(exchange: UwsExchange, sink: WebSocketSink) {
    this.#exchange = exchange;
    this.#sink = sink;
  }

  get bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  send(message: Uint8Array, binary: boolean): void {
    if (this.#socket === undefined) return;
    this.#exchange.bytesSent += message.length;
    this.#socket.send(message, binary);
  }

  ping(): void {
    this.#socket?.ping();
  }

  close(code: number | undefined, reason: Uint8Array): void {
    if (this.#socket === undefined) return;
    // What the client has not taken yet is still sent for some seconds.
    if (this.#socket.getBufferedAmount() > 0) this.#exchange.pressured = true;
    this.#socket.end(code ?? 0, reason);
  }

  terminate(): void {
    this.#socket?.close();
  }

  // --- what uWebSockets.js tells ---

  opened(socket: UwsWebSocket): void {
    this.#socket = socket;
    this.#exchange.engine.switched.add(this);
  }

  received(message: ArrayBuffer, binary: boolean): void {
    // Its memory is gone when the callback returns.
    const copy = Buffer.from(new Uint8Array(message));
    this.guard(() => this.#sink.message(copy, binary));
  }

  heard(): void {
    this.guard(() => this.#sink.heard());
  }

  drained(): void {
    this.guard(() => this.#sink.drained());
  }

  /** The engine wants it closed. */
  leave(): void {
    this.guard(() => this.#sink.leave());
  }

  closed(code: number, reason: ArrayBuffer): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket = undefined;
    const copy = Buffer.from(new Uint8Array(reason));
    this.#exchange.engine.switched.delete(this);
    const withoutCode = code === 0 || (code === closeCodes.lost && copy.toString('latin1') === unknownCode);
    this.guard(() => this.#sink.closed(withoutCode ? closeCodes.none : code, withoutCode ? Buffer.alloc(0) : copy));
    this.#exchange.complete();
  }

  /** Runs a step that a defect may make throw, which must cost no more than this WebSocket. */
  guard(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#exchange.engine.report(new PorticoError('internal', 'a step of a WebSocket has thrown', { cause }));
      this.terminate();
    }
  }
}
