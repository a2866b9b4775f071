import { UwsBodyStream } from './uws-body-stream.ts';

// What uWebSockets.js adds to a head (Date, Transfer-Encoding, status line) and to a chunk, at most.
const overheadBytes = 384;

/**
 * A body of unknown length. uWebSockets.js takes every chunk and keeps a copy of what the socket does not take, so it is
 * given small pieces, each in a cork of its own, and nothing more once it says that a piece had to wait.
 *
 * One piece a cork is also what keeps the compatibility build from losing data: it drops the second of two writes that
 * together outgrow the cork's buffer while the socket is full.
 */
export class UwsChunkedStream extends UwsBodyStream {
  #taken = true;
  #deferred = false;

  override write(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true;
    this.held = chunk;
    this.#pump();
    return !this.waiting;
  }

  override end(): void {
    this.ended = true;
    if (!this.waiting) this.#finish();
  }

  override writeCorked(): void {
    const held = this.held as Uint8Array;
    const headBytes = this.head?.block.length ?? 0;
    this.writeHead();
    const room = Math.max(1024, this.exchange.engine.pieceBytes - headBytes - overheadBytes);
    const piece = held.length <= room ? held : held.subarray(0, room);
    this.held = piece === held ? undefined : held.subarray(room);
    this.#taken = this.response.write(piece);
    this.exchange.bytesSent += piece.length;
  }

  protected override proceed(): void {
    if (this.#deferred) return;
    // Sends what uWebSockets.js keeps: with a callback registered it does not do so by itself.
    this.exchange.engine.cork.flush(this.response);
    if (!this.waiting) return;
    this.#taken = true;
    if (this.held !== undefined) this.#pump();
    if (this.held !== undefined || !this.#taken) return;
    this.unblock();
    // `onDrain` may have ended, aborted, or written and be waiting again.
    if (this.ended && !this.waiting && !this.exchange.over) this.#finish();
  }

  /**
   * Pausing and resuming is what starts uWebSockets.js's timer anew; another write does not, and would grow what is held.
   * The flush behind it asks for the socket to be watched for writability again, which pausing may have ended.
   */
  protected override rearm(): void {
    this.response.pause();
    this.response.resume();
    this.exchange.engine.cork.flush(this.response);
  }

  #pump(): void {
    while (this.held !== undefined) {
      this.corked();
      if (!this.#taken) {
        this.block();
        return;
      }
      if (this.exchange.corked && this.held !== undefined) {
        // The request callback is one single cork, and one takes one piece.
        this.block();
        this.#deferred = true;
        setImmediate(proceedDeferred, this);
        return;
      }
    }
  }

  /** The request callback is over: a cork of its own is possible now. */
  proceedDeferred(): void {
    this.#deferred = false;
    this.exchange.guard(this.writable);
  }

  #finish(): void {
    this.exchange.endWithoutMore(this.head);
  }
}

function proceedDeferred(stream: UwsChunkedStream): void {
  stream.proceedDeferred();
}
