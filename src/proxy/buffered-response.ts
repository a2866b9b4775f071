import type { ResponseHead } from '../response/response-head.ts';
import type { SpoolFailure, SpoolFile } from '../spool/spool-file.ts';
import type { ReadBuffer, ReadBufferWaiter } from '../static/read-buffer-pool.ts';
import type { RouteBuffering } from './buffering.ts';
import type { ResponseSink } from './response-sink.ts';

/** Pieces of memory asked for. */
const pieceBytes = 65_536;
/** Bytes that may wait to be written to the file before the server has to wait. */
const unwrittenBound = 262_144;
/**
 * The share of the memory that must be free for more of a response to be kept in it, and to be collected for the file. So
 * many responses go to files before they take the memory that those in files need to leave again.
 */
const keepingShare = 1 / 2;
const writingShare = 1 / 4;

/** A piece of the body in lent memory. */
interface Piece {
  readonly buffer: ReadBuffer;
  length: number;
}

/**
 * Takes a response faster than its client does: what the client has not taken yet is kept in memory, and beyond that in
 * a file without a name. Comes into being when the client has fallen behind, and passes on directly when it has caught up.
 *
 * What is kept leaves in this order: `pieces`, then the file, then `unwritten`, then `rest`.
 */
export class BufferedResponse implements ResponseSink, ReadBufferWaiter {
  onDrain: (() => void) | undefined;
  private readonly target: ResponseSink;
  private readonly buffering: RouteBuffering;
  private readonly pieces: Piece[] = [];
  private readonly unwritten: Piece[] = [];
  /** What there was no room for: it stays in the server's memory, and the server waits. */
  private rest: Uint8Array | undefined;
  /** The piece that the client is taking. */
  private leaving: Piece | undefined;
  private file: SpoolFile | undefined;
  private fileStart = 0;
  private fileEnd = 0;
  private fileFailed = false;
  private writing = false;
  private reading = false;
  private waiting = false;
  /** The client does not take more for now. */
  private blocked = true;
  private delivering = false;
  private ended = false;
  private closed = false;

  /** @param target has just returned false for a chunk, whose memory is free again afterwards */
  constructor(target: ResponseSink, buffering: RouteBuffering) {
    this.target = target;
    this.buffering = buffering;
    target.copyHeld();
    target.onDrain = () => this.targetDrained();
  }

  get bytesSent(): number {
    return this.target.bytesSent;
  }

  respond(head: ResponseHead, body: Uint8Array): void {
    this.target.respond(head, body);
  }

  respondHead(head: ResponseHead, length: number | undefined): void {
    this.target.respondHead(head, length);
  }

  stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    return this.target.stream(head, length, chunk);
  }

  abort(): void {
    this.target.abort();
  }

  write(chunk: Uint8Array): boolean {
    if (this.closed) return true;
    if (!this.blocked && this.isEmpty) {
      if (!this.target.write(chunk)) {
        this.blocked = true;
        this.target.copyHeld();
      }
      return true;
    }
    this.rest = this.keep(chunk);
    this.writeNext();
    this.deliver();
    if (this.rest === undefined) return true;
    this.buffering.responses.backpressure.add(1);
    return false;
  }

  end(): void {
    this.ended = true;
    this.writeNext();
    this.deliver();
  }

  copyHeld(): void {
    if (this.rest !== undefined) this.rest = Buffer.from(this.rest);
  }

  /** Nobody wants the response any more: gives everything back. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.rest = undefined;
    if (this.waiting) this.buffering.memory.cancel(this);
    if (this.leaving !== undefined) this.release(this.leaving);
    for (const piece of this.pieces.splice(0)) this.release(piece);
    // The first piece may be the one that is being written: `written` gives it back.
    for (const piece of this.unwritten.splice(this.writing ? 1 : 0)) this.release(piece);
    this.file?.close();
    const { memory, spool } = this.buffering.responses;
    (this.file === undefined ? memory : spool).add(1);
  }

  granted(buffer: ReadBuffer): void {
    this.waiting = false;
    this.readInto(buffer);
  }

  timedOut(): void {
    this.waiting = false;
    // Others are as slow: in turn.
    if (!this.closed) this.deliver();
  }

  private get isEmpty(): boolean {
    return this.pieces.length === 0 && !this.spooling && this.rest === undefined;
  }

  /** Whether what comes must queue behind the file. */
  private get spooling(): boolean {
    return this.fileStart < this.fileEnd || this.unwritten.length > 0 || this.reading || this.waiting;
  }

  // --- keeping ---

  /** Copies as much as there is room for. @returns what there is none for */
  private keep(chunk: Uint8Array): Uint8Array | undefined {
    let rest = chunk;
    while (rest.length > 0) {
      const piece = this.pieceWithRoom();
      if (piece === undefined) return rest;
      const count = Math.min(rest.length, piece.buffer.memory.length - piece.length);
      piece.buffer.memory.set(rest.subarray(0, count), piece.length);
      piece.length += count;
      rest = rest.subarray(count);
    }
    return undefined;
  }

  private pieceWithRoom(): Piece | undefined {
    if (!this.spooling) {
      const piece = this.roomIn(this.pieces, this.buffering.responseMemory, keepingShare);
      if (piece !== undefined) return piece;
    }
    if (!this.mayWrite()) return undefined;
    return this.roomIn(this.unwritten, unwrittenBound, this.unwritten.length === 0 ? 0 : writingShare);
  }

  private roomIn(pieces: Piece[], bound: number, share: number): Piece | undefined {
    const last = pieces.at(-1);
    // One that is being written must not change.
    const fixed = this.writing && pieces === this.unwritten && pieces.length === 1;
    if (last !== undefined && last.length < last.buffer.memory.length && !fixed) return last;
    let held = 0;
    for (const piece of pieces) held += piece.buffer.memory.length;
    const { memory } = this.buffering;
    if (held + pieceBytes > bound || memory.freeShare < share) return undefined;
    const buffer = memory.tryAcquire(pieceBytes);
    if (buffer === undefined) return undefined;
    const piece = { buffer, length: 0 };
    pieces.push(piece);
    return piece;
  }

  /** Whether more may go to the file. */
  private mayWrite(): boolean {
    if (this.fileFailed || this.fileEnd + pieceBytes > this.buffering.responseMax) return false;
    if (this.file !== undefined) return true;
    const opened = this.buffering.spool.open();
    if ('kind' in opened) {
      this.fileFailed = true;
      return false;
    }
    this.file = opened;
    return true;
  }

  private writeNext(): void {
    const [piece] = this.unwritten;
    const { file } = this;
    if (piece === undefined || file === undefined || this.writing || this.fileFailed || this.closed) return;
    const isFull = piece.length === piece.buffer.memory.length;
    if (!isFull && !this.ended) return;
    this.writing = true;
    file.write(piece.buffer.memory.subarray(0, piece.length), this.fileEnd, (failure) => this.written(piece, failure));
  }

  private written(piece: Piece, failure: SpoolFailure | undefined): void {
    this.writing = false;
    if (this.closed) return this.release(piece);
    if (failure === undefined) {
      this.fileEnd += piece.length;
      this.unwritten.shift();
      this.release(piece);
      this.writeNext();
    } else {
      // It goes out from memory, and nothing more to the file: the server waits for the client from now on.
      this.fileFailed = true;
    }
    this.deliver();
  }

  // --- delivering ---

  private targetDrained(): void {
    this.blocked = false;
    if (this.leaving !== undefined) this.release(this.leaving);
    this.leaving = undefined;
    this.deliver();
  }

  /** Hands out what is kept as far as the client takes it, and takes in what waited for room. */
  private deliver(): void {
    if (this.delivering || this.closed) return;
    this.delivering = true;
    while (!this.blocked && this.deliverNext());
    this.delivering = false;
    if (this.closed) return;
    this.takeRest();
    if (this.ended && !this.blocked && this.isEmpty) {
      this.target.end();
      this.close();
    }
  }

  /** @returns whether to go on at once */
  private deliverNext(): boolean {
    const piece = this.pieces.shift();
    if (piece !== undefined) {
      this.blocked = !this.target.write(piece.buffer.memory.subarray(0, piece.length));
      if (this.blocked && !this.closed) this.leaving = piece;
      else this.release(piece);
      return !this.closed;
    }
    if (this.reading || this.waiting) return false;
    if (this.fileStart < this.fileEnd) return this.readNext();
    if (this.writing) return false;
    this.fileStart = this.fileEnd = 0;
    if (this.unwritten.length > 0) {
      this.pieces.push(...this.unwritten.splice(0));
      return true;
    }
    const { rest } = this;
    if (rest === undefined) return false;
    this.rest = undefined;
    this.blocked = !this.target.write(rest);
    if (this.blocked) this.target.copyHeld();
    this.onDrain?.();
    return true;
  }

  /** What waited for room may have it now. */
  private takeRest(): void {
    if (this.rest === undefined) return;
    this.rest = this.keep(this.rest);
    this.writeNext();
    if (this.rest === undefined) this.onDrain?.();
  }

  private readNext(): false {
    const buffer = this.buffering.memory.tryAcquire(Math.min(pieceBytes, this.fileEnd - this.fileStart));
    if (buffer === undefined) {
      this.waiting = true;
      this.buffering.memory.wait(this);
    } else {
      this.readInto(buffer);
    }
    return false;
  }

  private readInto(buffer: ReadBuffer): void {
    const length = Math.min(buffer.memory.length, this.fileEnd - this.fileStart);
    const piece = { buffer, length };
    this.reading = true;
    this.file?.read(buffer.memory.subarray(0, length), this.fileStart, (failure) => {
      this.reading = false;
      if (this.closed) return this.release(piece);
      if (failure !== undefined) {
        this.release(piece);
        // What was lost cannot be asked for again.
        return this.target.abort();
      }
      this.fileStart += length;
      this.pieces.push(piece);
      this.deliver();
    });
  }

  private release(piece: Piece): void {
    this.buffering.memory.release(piece.buffer);
  }
}
