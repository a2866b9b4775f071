import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import { PieceSize } from './piece-size.ts';
import type { FileResponse } from './range-response.ts';
import type { ReadBuffer, ReadBufferPool, ReadBufferWaiter } from './read-buffer-pool.ts';

/** Largest piece read with the event loop waiting: what stays in the processor's cache until it is sent. */
const maxReadNowBytes = 256 * 1024;
/** Then it is others' turn. */
const maxTurnBytes = 512 * 1024;

/** What a stream reads from. It is closed once, when no read is under way any more. */
export interface RangeSource {
  /** One read at a time; the memory is left alone until `done`, which says how many bytes came: 0 at the end. */
  read(
    memory: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void;
  /** Whether the next piece may be read with the event loop waiting. */
  mayReadNow(): boolean;
  /** Reads so. @returns 0 when `read` has to: to keep the loop free, or to meet the same error and tell of it */
  readNow(memory: Buffer, length: number, position: number): number;
  /** Asked before the last piece goes out: whether what was sent belongs together. */
  isUnchanged(): boolean;
  /**
   * Answers, or cuts what was begun, after everything was given back.
   * @param error null when the bytes ended too early, or have changed
   */
  unreadable(error: Error | null): void;
  close(): void;
}

/**
 * Sends parts of a file through lent memory: read a piece, hand it to the connection, and while a client takes it read the
 * next one. It owns its source and gives everything back on every way out; memory and source never before a read that is
 * under way has come back, because a thread writes into them.
 *
 * A client that takes everything at once is served from one piece over and over, which stays in the processor's cache.
 */
export class RangeStream implements ReadBufferWaiter {
  private readonly context: RequestContext;
  private readonly response: FileResponse;
  private readonly source: RangeSource;
  private readonly buffers: ReadBufferPool;
  private readonly pieceSize = new PieceSize();

  private segment = 0;
  /** Where to read next within the file; -1 when the segment has not been started. */
  private position = -1;
  /** The piece being read into, or read and not sent. */
  private ahead: ReadBuffer | undefined;
  private aheadLength = 0;
  /** The piece that the connection holds. */
  private held: ReadBuffer | undefined;
  private reading = false;
  /** Bytes read since others had their turn. */
  private turnBytes = 0;
  private pausing = false;
  private waiting = false;
  private stalled = false;
  private closed = false;

  constructor(context: RequestContext, response: FileResponse, source: RangeSource, buffers: ReadBufferPool) {
    this.context = context;
    this.response = response;
    this.source = source;
    this.buffers = buffers;
  }

  start(): void {
    const { exchange } = this.context;
    if (exchange.aborted) return this.close();
    exchange.onAborted = () => this.close();
    exchange.onDrain = () => this.drained();
    this.proceed();
  }

  granted(buffer: ReadBuffer): void {
    this.waiting = false;
    this.readInto(buffer);
    // What was read at once has nobody else to send it.
    this.proceed();
  }

  timedOut(): void {
    this.waiting = false;
    this.close();
    respondError(this.context, new PorticoError('file_unreadable', 'no memory for reading became free in time'));
  }

  /** Does what can be done next, until it has to wait for the disk, for memory or for the client. */
  private proceed(): void {
    while (!this.closed && !this.stalled && !this.reading && !this.waiting && !this.pausing) {
      if (this.aheadLength > 0) this.sendPiece();
      else {
        const segment = this.response.segments[this.segment];
        if (segment === undefined) return this.finish();
        if (segment instanceof Uint8Array) this.sendText(segment);
        else this.readNext();
      }
    }
  }

  private sendText(text: Buffer): void {
    this.segment++;
    this.stalled = !this.send(text);
  }

  private sendPiece(): void {
    const buffer = this.ahead;
    if (buffer === undefined) return;
    const piece = buffer.memory.subarray(0, this.aheadLength);
    if (this.isLastPiece() && !this.source.isUnchanged()) return this.unreadable(null);
    this.aheadLength = 0;
    const taken = this.send(piece);
    // The client may go away while it is written to: then everything has been given back already.
    if (this.closed) return;
    if (taken) {
      // Its memory is free again: kept for the next read.
      this.pieceSize.taken();
      return;
    }
    this.held = buffer;
    this.ahead = undefined;
    this.stalled = true;
    this.pieceSize.stalled(piece.length);
    this.readAhead();
  }

  private send(chunk: Uint8Array): boolean {
    const { exchange } = this.context;
    return exchange.responded
      ? exchange.write(chunk)
      : exchange.stream(this.response.head, this.response.length, chunk);
  }

  private drained(): void {
    if (this.closed || !this.stalled) return;
    this.stalled = false;
    this.turnBytes = 0;
    this.pieceSize.drained();
    this.releaseHeld();
    this.proceed();
  }

  /** Reads while the client is busy, if it is a fast one and memory is there without queueing. */
  private readAhead(): void {
    const segment = this.response.segments[this.segment];
    if (this.reading || segment === undefined || segment instanceof Uint8Array || !this.pieceSize.isFast) return;
    // What is read in no time need not be read before.
    if (this.source.mayReadNow()) return;
    const buffer = this.buffers.tryAcquire(this.pieceSize.bytes);
    if (buffer !== undefined) this.readInto(buffer);
  }

  private readNext(): void {
    const { buffers } = this;
    const kept = this.ahead;
    const now = this.source.mayReadNow();
    if (now && this.turnBytes >= maxTurnBytes) return this.pause();
    const wanted = now ? Math.min(maxReadNowBytes, this.pieceSize.bytes) : this.pieceSize.bytes;
    if (kept !== undefined && (kept.memory.length >= wanted || buffers.waiting > 0)) return this.readInto(kept);
    const buffer = buffers.tryAcquire(wanted);
    if (buffer !== undefined) {
      this.releaseAhead();
      return this.readInto(buffer);
    }
    if (kept !== undefined) return this.readInto(kept);
    this.waiting = true;
    buffers.wait(this);
  }

  private readInto(buffer: ReadBuffer): void {
    this.ahead = buffer;
    const segment = this.response.segments[this.segment];
    if (segment === undefined || segment instanceof Uint8Array) return;
    if (this.position < 0) this.position = segment.first;
    const { memory } = buffer;
    const length = Math.min(memory.length, segment.last + 1 - this.position);
    const bytes = this.source.readNow(memory, Math.min(length, maxReadNowBytes), this.position);
    if (bytes > 0) {
      this.turnBytes += bytes;
      return this.hasRead(bytes);
    }
    this.reading = true;
    this.source.read(memory, 0, length, this.position, this.readDone);
  }

  private readonly readDone = (error: Error | null, bytesRead: number): void => {
    this.reading = false;
    if (this.closed) return this.giveBack();
    if (error !== null || bytesRead === 0) return this.unreadable(error);
    this.hasRead(bytesRead);
    this.turnBytes = 0;
    this.proceed();
  };

  private hasRead(bytes: number): void {
    this.aheadLength = bytes;
    this.position += bytes;
    const segment = this.response.segments[this.segment];
    if (segment === undefined || segment instanceof Uint8Array || this.position <= segment.last) return;
    this.segment++;
    this.position = -1;
  }

  /** Lets others have their turn. */
  private pause(): void {
    this.pausing = true;
    setImmediate(() => {
      this.pausing = false;
      this.turnBytes = 0;
      this.proceed();
    });
  }

  /** Whether only text, or nothing, follows what was read. */
  private isLastPiece(): boolean {
    return this.segment >= this.response.segments.length - 1 && this.position < 0;
  }

  private finish(): void {
    const { exchange } = this.context;
    this.close();
    exchange.end();
  }

  private unreadable(error: Error | null): void {
    this.close();
    this.source.unreadable(error);
  }

  /** Gives everything back, now or when the read under way has come back. */
  private close(): void {
    if (this.closed) return;
    this.closed = true;
    const { exchange } = this.context;
    exchange.onAborted = undefined;
    exchange.onDrain = undefined;
    if (this.waiting) this.buffers.cancel(this);
    this.releaseHeld();
    if (!this.reading) this.giveBack();
  }

  private giveBack(): void {
    this.releaseAhead();
    this.source.close();
  }

  private releaseAhead(): void {
    if (this.ahead === undefined) return;
    this.buffers.release(this.ahead);
    this.ahead = undefined;
  }

  private releaseHeld(): void {
    if (this.held === undefined) return;
    this.buffers.release(this.held);
    this.held = undefined;
  }
}
