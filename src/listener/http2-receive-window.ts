import { ErrorCode, FrameType, numberFrame } from '../http2/frame.ts';
import { ConnectionFault } from './http2-frame-reader.ts';
import type { Http2Output } from './http2-output.ts';
import type { Http2Stream } from './http2-stream.ts';

/** For all bodies of a connection together: what nobody reads is held, and this is its bound. */
export const connectionWindow = 1024 * 1024;

/** What a client may send on a stream before somebody takes it. */
export const streamWindow = 256 * 1024;

/** What a client may send on a connection before it is told that there is room again (RFC 9113 section 6.9). */
export class Http2ReceiveWindow {
  readonly #output: Http2Output;
  #left = connectionWindow;
  #unacknowledged = 0;

  constructor(output: Http2Output) {
    this.#output = output;
  }

  /** Bytes have come. @throws ConnectionFault when there was no room for them */
  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new ConnectionFault(ErrorCode.flowControlError, 'more than the window of the connection');
  }

  /** Bytes were taken by somebody, or are wanted by nobody. The client is told in larger steps. */
  acknowledge(count: number): void {
    this.#unacknowledged += count;
    if (this.#unacknowledged < connectionWindow / 4) return;
    this.#left += this.#unacknowledged;
    this.#output.send(numberFrame(FrameType.windowUpdate, 0, this.#unacknowledged));
    this.#unacknowledged = 0;
  }

  /** What a stream holds of the room of the connection is free. */
  release(stream: Http2Stream): void {
    if (stream.held === 0) return;
    this.acknowledge(stream.held);
    stream.held = 0;
  }

  /** Gives a client back the room of what was received on a stream, unless its reader pauses. @param all also small amounts */
  acknowledgeStream(stream: Http2Stream, all: boolean): void {
    if (stream.closed || stream.paused) return;
    // The connection gets its room back at once: what many streams have not told of yet would fill it otherwise.
    this.release(stream);
    const count = stream.unacknowledged;
    if (count === 0 || (!all && count < streamWindow / 4)) return;
    stream.unacknowledged = 0;
    if (stream.remoteEnded) return;
    stream.receiveWindow += count;
    this.#output.send(numberFrame(FrameType.windowUpdate, stream.id, count));
  }
}
