import type { Socket } from 'node:net';
import { PorticoError } from '../response/portico-error.ts';
import { cutSocket } from './cut-socket.ts';
import type { NodeEngineCore } from './node-engine-core.ts';
import type { TunnelPeer, TunnelSink } from './tunnel.ts';

/** Silence after which the kernel asks whether the client is still there, milliseconds. */
const keepAliveMs = 60_000;

/** The exchange that has become a tunnel. */
interface UpgradedExchange {
  readonly engine: NodeEngineCore;
  complete(): void;
}

/** A client's end of a tunnel over a node socket. */
export class NodeTunnelPeer implements TunnelPeer {
  bytesSent = 0;
  readonly #exchange: UpgradedExchange;
  readonly #sink: TunnelSink;
  readonly #socket: Socket;
  /** What was read before anybody wanted it. */
  #rest: Buffer | undefined;
  #paused = true;
  /** Writes under way. */
  #writing = 0;
  #endTold = false;
  #over = false;

  /** @param rest what the client has sent ahead */
  constructor(exchange: UpgradedExchange, sink: TunnelSink, socket: Socket, rest: Buffer | undefined) {
    this.#exchange = exchange;
    this.#sink = sink;
    this.#socket = socket;
    this.#rest = rest;
  }

  /** Takes the socket over. @param head the whole head of the answer */
  open(head: Uint8Array): void {
    const socket = this.#socket;
    this.#exchange.engine.switched.add(this);
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.#guard(() => this.#sink.data(chunk)));
    socket.on('end', () => this.#tellEnd());
    socket.on('close', (broken) => this.#closed(broken));
    socket.setKeepAlive(true, keepAliveMs);
    socket.write(head);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    const socket = this.#socket;
    this.bytesSent += bytes.length;
    this.#writing += 1;
    socket.write(bytes, this.#written);
    // Node tells later of each write; what the kernel took at once is nobody's memory any more.
    return socket.writableLength === 0 && socket.errored === null && !socket.destroyed;
  }

  end(): void {
    if (!this.#over) this.#socket.end();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (this.#over) return;
    this.#paused = false;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#guard(() => this.#sink.data(rest));
    if (this.#paused || this.#over) return;
    // A client may have ended its side before it had the answer.
    if (this.#socket.readableEnded) this.#tellEnd();
    else this.#socket.resume();
  }

  terminate(): void {
    if (this.#over) return;
    cutSocket(this.#socket);
    this.#closed(true);
  }

  leave(): void {
    this.#guard(() => this.#sink.leave());
  }

  /** @param error null or undefined where there is none, as Node.js likes */
  readonly #written = (error?: Error | null): void => {
    this.#writing -= 1;
    // What did not leave never will: `close` follows.
    if (error || this.#writing > 0 || this.#over) return;
    this.#guard(() => this.#sink.taken());
  };

  #tellEnd(): void {
    if (this.#endTold || this.#over) return;
    this.#endTold = true;
    this.#guard(() => this.#sink.ended());
  }

  #closed(broken: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#rest = undefined;
    this.#exchange.engine.switched.delete(this);
    this.#guard(() => this.#sink.closed(broken));
    this.#exchange.complete();
  }

  /** Runs a step that a defect may make throw, which must cost no more than this tunnel. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#exchange.engine.report(new PorticoError('internal', 'a step of a tunnel has thrown', { cause }));
      this.terminate();
    }
  }
}
