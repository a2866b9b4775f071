import type { Socket } from 'node:net';
import {
  type ErrorCode,
  Flag,
  FrameType,
  frame,
  frameHeaderBytes,
  maxFrameBytes,
  maxWindow,
  numberFrame,
  writeFrameHeader,
} from '../http2/frame.ts';
import type { Http2Stream } from './http2-stream.ts';

/** Window that both sides begin with (RFC 9113 section 6.9.2). */
const initialWindow = 65_535;
/** Bytes written and not taken by the client's socket, from which on no more of the bodies is sent. */
const backlogBytes = 128 * 1024;

/**
 * What goes out on an HTTP/2 connection: frames in the order of their making, everything of one turn in one write; bodies
 * as far as the client's windows and its socket have room, those of several streams in turn, a frame of each.
 */
export class Http2Output {
  /** Called when the end of a response was sent. */
  readonly #ended: (stream: Http2Stream) => void;
  readonly #socket: Socket;
  /** Streams with something pending, in turn. */
  readonly #queue = new Set<Http2Stream>();
  #window = initialWindow;
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #scheduled = false;
  #held = false;
  #writing = 0;
  #closed = false;
  /** `performance.now()` when something was written last, or has left. */
  progressAt = performance.now();
  /** Window of streams that open from now on. */
  streamWindow = initialWindow;

  constructor(socket: Socket, ended: (stream: Http2Stream) => void) {
    this.#socket = socket;
    this.#ended = ended;
  }

  /** Whether something was written that has not left the process. */
  get isWriting(): boolean {
    return this.#writing > 0 || this.#bytes > 0 || this.#queue.size > 0;
  }

  /** Whether the socket has something that the client does not take. */
  get awaitsSocket(): boolean {
    return this.#writing > 0;
  }

  /** Whether all that is pending is of tunnels, whose clients may take their time. */
  get servesTunnels(): boolean {
    for (const { tunnel } of this.#queue) if (tunnel?.isOpen !== true) return false;
    return this.#queue.size > 0;
  }

  /** Streams with something pending. */
  get queued(): Iterable<Http2Stream> {
    return this.#queue;
  }

  send(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#frames.push(bytes);
    this.#bytes += bytes.length;
    this.#flushSoon();
  }

  reset(stream: number, code: ErrorCode): void {
    this.send(numberFrame(FrameType.rstStream, stream, code));
  }

  /** Sends a header block, in as many frames as it needs. */
  headers(stream: Http2Stream, block: Uint8Array, endStream: boolean): void {
    if (stream.closed) return;
    let start = 0;
    do {
      const last = start + maxFrameBytes >= block.length ? Flag.endHeaders : 0;
      const type = start === 0 ? FrameType.headers : FrameType.continuation;
      const flags = last | (start === 0 && endStream ? Flag.endStream : 0);
      this.send(frame(type, flags, stream.id, block.subarray(start, start + maxFrameBytes)));
      start += maxFrameBytes;
    } while (start < block.length);
    if (endStream) this.#ended(stream);
  }

  /**
   * Sends as much as there is room for; keeps a copy of the rest.
   * @param endStream whether the stream ends behind it
   * @returns whether all of it has left; otherwise the exchange is told `flushed` when it has
   */
  data(stream: Http2Stream, bytes: Uint8Array, endStream: boolean): boolean {
    if (stream.closed || this.#closed) return true;
    const sent = this.#sendFrames(stream, bytes, endStream);
    if (sent === bytes.length) {
      if (endStream || !this.#isBacklogged) return true;
    } else {
      stream.pending = Buffer.from(bytes.subarray(sent));
      stream.endsBehindPending = endStream;
    }
    stream.progressAt = performance.now();
    this.#queue.add(stream);
    return false;
  }

  /** Nothing of that stream is sent any more. */
  drop(stream: Http2Stream): void {
    stream.pending = undefined;
    this.#queue.delete(stream);
  }

  /** The client has made room for all streams. @returns false when that is more than there may be */
  widen(count: number): boolean {
    this.#window += count;
    return this.#window <= maxWindow;
  }

  /** Sends what is pending, as far as there is room now. */
  pump(): void {
    let progressed = true;
    while (progressed && this.#queue.size > 0 && !this.#isBacklogged && !this.#closed) {
      progressed = false;
      for (const stream of this.#queue) if (this.#pumpStream(stream)) progressed = true;
    }
  }

  /** Keeps what is sent until `release`: the answers to everything that one read brought go out together. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
    this.#frames = [];
    this.#bytes = 0;
  }

  get #isBacklogged(): boolean {
    return this.#bytes + this.#socket.writableLength > backlogBytes;
  }

  /** @returns bytes sent */
  #sendFrames(stream: Http2Stream, bytes: Uint8Array, endStream: boolean): number {
    let sent = 0;
    do {
      const room = Math.min(this.#window, stream.sendWindow, maxFrameBytes);
      const count = Math.min(room, bytes.length - sent);
      if (bytes.length > sent && (count <= 0 || this.#isBacklogged)) return sent;
      const last = endStream && sent + count === bytes.length;
      const data = Buffer.allocUnsafe(frameHeaderBytes + count);
      writeFrameHeader(data, 0, count, FrameType.data, last ? Flag.endStream : 0, stream.id);
      data.set(bytes.subarray(sent, sent + count), frameHeaderBytes);
      this.send(data);
      this.#window -= count;
      stream.sendWindow -= count;
      sent += count;
      if (last) this.#ended(stream);
    } while (sent < bytes.length);
    return sent;
  }

  /** @returns whether something was sent, or a writer told to go on */
  #pumpStream(stream: Http2Stream): boolean {
    if (stream.closed || this.#isBacklogged) return false;
    const { pending } = stream;
    if (pending !== undefined) {
      const piece = pending.length <= maxFrameBytes ? pending : pending.subarray(0, maxFrameBytes);
      const sent = this.#sendFrames(stream, piece, stream.endsBehindPending && piece === pending);
      if (sent === 0 && piece.length > 0) return false;
      stream.progressAt = performance.now();
      stream.pending = sent === pending.length ? undefined : pending.subarray(sent);
      if (stream.pending !== undefined) return true;
    }
    this.#queue.delete(stream);
    stream.flushed();
    return true;
  }

  #flushSoon(): void {
    if (this.#held || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (this.#bytes === 0 || this.#closed) return;
    const bytes = this.#frames.length === 1 ? (this.#frames[0] as Uint8Array) : Buffer.concat(this.#frames);
    this.#frames = [];
    this.#bytes = 0;
    if (this.#writing === 0) this.progressAt = performance.now();
    this.#writing += 1;
    this.#socket.write(bytes, this.#onWritten);
  };

  readonly #onWritten = (error?: Error | null): void => {
    this.#writing -= 1;
    if (error || this.#closed) return;
    this.progressAt = performance.now();
    if (this.#queue.size > 0) this.pump();
  };
}
