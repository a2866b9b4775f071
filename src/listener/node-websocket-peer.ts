import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { closeCodes } from '../http/close-code.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { NodeEngineCore } from './node-engine-core.ts';
import type { WebSocketPeer, WebSocketSink } from './websocket.ts';

const nothing = Buffer.alloc(0);
/** How long a client may take to answer a close frame. */
const closeTimeoutMs = 5000;

/** The exchange that has become a WebSocket. */
interface UpgradedExchange {
  readonly engine: NodeEngineCore;
  complete(): void;
}

/** A client's WebSocket over a node socket, or a stream that is like one, with the frames of `ws`. */
export class NodeWebSocketPeer implements WebSocketPeer {
  bytesSent = 0;
  readonly #exchange: UpgradedExchange;
  readonly #sink: WebSocketSink;
  #socket: WebSocket | undefined;
  #over = false;
  /** Something was not taken at once, and has not left yet. */
  #pressured = false;

  constructor(exchange: UpgradedExchange, sink: WebSocketSink) {
    this.#exchange = exchange;
    this.#sink = sink;
  }

  /** Answers the handshake and takes over. @param rest what the client has sent behind it */
  open(socket: Duplex, rest: Buffer, key: string, head: ResponseHead, protocol: string, maxPayload: number): void {
    const lines = head.block.toString('latin1').split('\r\n').slice(1);
    const offer = protocol === '' ? {} : { 'sec-websocket-protocol': protocol };
    const headers = { upgrade: 'websocket', 'sec-websocket-key': key, 'sec-websocket-version': '13', ...offer };
    const options: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
      closeTimeout: closeTimeoutMs,
      handleProtocols: () => protocol,
    };
    const server = new WebSocketServer(options);
    server.on('headers', (answer) => answer.push(...lines));
    this.#exchange.engine.switched.add(this);
    server.handleUpgrade({ method: 'GET', url: '/', headers } as IncomingMessage, socket, rest, (opened) => {
      this.#socket = opened;
      opened.on('message', (data, binary) => this.#guard(() => this.#sink.message(data as Buffer, binary)));
      opened.on('ping', () => this.#guard(() => this.#sink.heard()));
      opened.on('pong', () => this.#guard(() => this.#sink.heard()));
      opened.on('close', (code, reason) => this.#closed(code, reason));
      opened.on('error', () => undefined);
    });
    // Reading was stopped if the client has sent much before it had the answer.
    socket.resume();
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(message: Uint8Array, binary: boolean): void {
    if (this.#socket === undefined || this.#over) return;
    this.bytesSent += message.length;
    this.#socket.send(message, { binary }, this.#sent);
    if (this.bufferedBytes > 0) this.#pressured = true;
  }

  ping(): void {
    if (!this.#over) this.#socket?.ping();
  }

  close(code: number | undefined, reason: Uint8Array): void {
    if (this.#over) return;
    this.#socket?.close(code, Buffer.from(reason));
    this.#closed(code ?? closeCodes.none, Buffer.from(reason));
  }

  terminate(): void {
    this.#socket?.terminate();
    this.#closed(closeCodes.lost, nothing);
  }

  leave(): void {
    this.#guard(() => this.#sink.leave());
  }

  /** @param error null or undefined where there is none, as Node.js likes */
  readonly #sent = (error?: Error | null): void => {
    if (error || !this.#pressured) return;
    this.#pressured = this.bufferedBytes > 0;
    this.#guard(() => this.#sink.drained());
  };

  #closed(code: number, reason: Buffer): void {
    if (this.#over) return;
    this.#over = true;
    this.#exchange.engine.switched.delete(this);
    this.#guard(() => this.#sink.closed(code, reason));
    this.#exchange.complete();
  }

  /** Runs a step that a defect may make throw, which must cost no more than this WebSocket. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#exchange.engine.report(new PorticoError('internal', 'a step of a WebSocket has thrown', { cause }));
      this.terminate();
    }
  }
}
