import type { BodySink, RequestBody } from '../listener/exchange.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { SpoolFailure, SpoolFile } from '../spool/spool-file.ts';
import type { ReadBuffer } from '../static/read-buffer-pool.ts';
import type { Connection } from '../upstream/connection.ts';
import { bufferingError, type RouteBuffering } from './buffering.ts';
import type { RequestOwner, RequestSource } from './request-source.ts';
import { SpoolSender } from './spool-sender.ts';

/** A body up to this size that comes in one piece is kept as that piece. */
const wholeBytes = 16_384;
/** Pieces of memory asked for: for a body in memory, for one on its way to a file. */
const pieceBytes = 65_536;
const largePieceBytes = 262_144;
/** Bytes that may wait to be written; what comes beyond them in spite of a paused client is written at once. */
const unwrittenBound = 1_048_576;

/** A piece of the body in lent memory. */
interface Piece {
  readonly buffer: ReadBuffer;
  /** Where it starts in the body. */
  readonly position: number;
  length: number;
}

/**
 * Reads a request body whole before a server is asked for: small ones into memory, larger ones into a file without a
 * name. It is sent with its length, whatever it came with, and can be sent again.
 */
export class BufferedRequest implements BodySink, RequestSource {
  /** Undefined until the body is there whole. */
  length: number | undefined;
  readonly replayable = true;
  /** Whether the whole body was handed to the connection. */
  complete = false;
  private readonly owner: RequestOwner;
  private readonly body: RequestBody;
  private readonly buffering: RouteBuffering;
  private size = 0;
  /** The body in the memory that it came in. */
  private whole: Buffer | undefined;
  /** In order: the body while there is no file, then what is not written yet. */
  private pieces: Piece[] = [];
  private file: SpoolFile | undefined;
  private writing = false;
  private paused = false;
  private ended = false;
  private over = false;
  private sender: SpoolSender | undefined;

  constructor(owner: RequestOwner, body: RequestBody, buffering: RouteBuffering) {
    this.owner = owner;
    this.body = body;
    this.buffering = buffering;
  }

  start(): void {
    const whole = this.body.takeWhole?.();
    if (whole === undefined) return this.body.read(this);
    this.whole = whole;
    this.size = whole.length;
    this.ended = true;
    this.ready();
  }

  send(connection: Connection, head: string): void {
    const { whole, file } = this;
    this.complete = false;
    if (file !== undefined) {
      this.sender ??= new SpoolSender(this, file, this.size, this.buffering.memory);
      this.sender.send(connection, head);
      return;
    }
    this.complete = true;
    if (whole !== undefined) return connection.send(head, whole);
    const [first, ...rest] = this.pieces;
    connection.send(head, first && contentOf(first));
    for (const piece of rest) connection.sendBytes(contentOf(piece));
  }

  drained(): void {
    // Memory is sent at once, and a file as its pieces leave.
  }

  abandon(): void {
    if (this.over) return;
    this.over = true;
    this.sender?.stop();
    if (this.whole !== undefined) this.body.release(this.whole);
    this.whole = undefined;
    if (this.pieces.length === 0) return this.letGo();
    // The first piece may be the one that is being written: `written` gives it back.
    for (const piece of this.pieces.splice(this.writing ? 1 : 0)) this.buffering.memory.release(piece.buffer);
    this.letGo();
  }

  private letGo(): void {
    this.file?.close();
    this.resume();
  }

  // --- what the body tells ---

  data(chunk: Buffer): void {
    if (this.over) return;
    if (this.size === 0 && chunk.length <= wholeBytes && chunk.length === this.body.declaredLength) {
      this.whole = chunk;
      this.size = chunk.length;
      return;
    }
    this.lend(chunk);
  }

  lend(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.over) {
      const piece = this.pieceWithRoom(rest.length);
      if (piece === undefined) {
        if (!this.over) this.writeNow(rest);
        break;
      }
      const count = Math.min(rest.length, piece.buffer.memory.length - piece.length);
      rest.copy(piece.buffer.memory, piece.length, 0, count);
      piece.length += count;
      this.size += count;
      rest = rest.subarray(count);
    }
    if (this.over || this.file === undefined) return;
    this.writeNext();
    if (this.writing) this.pause();
  }

  end(): void {
    if (this.over) return;
    this.ended = true;
    if (this.file === undefined) this.ready();
    else this.writeNext();
  }

  failed(error: PorticoError): void {
    if (!this.over) this.owner.bodyFailed(error);
  }

  // --- what the sender tells ---

  sentAll(): void {
    this.complete = true;
  }

  sentSome(): void {
    this.owner.bodySent();
  }

  // --- the file ---

  /** The piece to fill; undefined when there is no memory for another one, or the body has failed. */
  private pieceWithRoom(coming: number): Piece | undefined {
    const { pieces, size, file } = this;
    const last = pieces.at(-1);
    if (last !== undefined && last.length < last.buffer.memory.length) return last;
    if (file === undefined && size + coming > this.buffering.requestMemory && !this.openFile()) return undefined;
    if (this.file !== undefined && this.unwritten() >= unwrittenBound) return undefined;
    const buffer = this.buffering.memory.tryAcquire(this.wantedBytes(coming));
    if (buffer === undefined) return undefined;
    const piece = { buffer, position: size, length: 0 };
    pieces.push(piece);
    return piece;
  }

  private wantedBytes(coming: number): number {
    if (this.file !== undefined) return coming > pieceBytes ? largePieceBytes : pieceBytes;
    const { declaredLength } = this.body;
    return Math.min(pieceBytes, declaredLength === undefined ? pieceBytes : declaredLength - this.size);
  }

  private unwritten(): number {
    const [first] = this.pieces;
    return first === undefined ? 0 : this.size - first.position;
  }

  /** @returns whether there is one; otherwise the body has failed */
  private openFile(): boolean {
    if (this.file !== undefined) return true;
    const opened = this.buffering.spool.open();
    if ('kind' in opened) {
      this.fail(opened);
      return false;
    }
    this.file = opened;
    return true;
  }

  /** Writes the next piece that is full, or the last one of all. */
  private writeNext(): void {
    const { file, writing, ended } = this;
    if (file === undefined || writing || this.over) return;
    const [piece] = this.pieces;
    if (piece === undefined) {
      if (ended) this.ready();
      else this.resume();
      return;
    }
    if (piece.length < piece.buffer.memory.length && !ended) return this.resume();
    this.writing = true;
    file.write(contentOf(piece), piece.position, (failure) => this.written(failure));
  }

  private written(failure: SpoolFailure | undefined): void {
    this.writing = false;
    const piece = this.pieces.shift();
    if (piece !== undefined) this.buffering.memory.release(piece.buffer);
    if (this.over) return;
    if (failure !== undefined) this.fail(failure);
    else this.writeNext();
  }

  /**
   * Some clients are read on although they were paused, as fast as they send, for as long as the event loop does not get
   * any further. Keeping it up is what bounds the memory.
   */
  private writeNow(chunk: Buffer): void {
    if (!this.openFile() || this.file === undefined) return;
    const failure = this.file.writeNow(chunk, this.size);
    this.size += chunk.length;
    if (failure !== undefined) this.fail(failure);
  }

  private ready(): void {
    const { requests } = this.buffering;
    this.length = this.size;
    (this.file === undefined ? requests.memory : requests.spool).add(1);
    this.owner.bodyReady();
  }

  fail(failure: SpoolFailure): void {
    if (!this.over) this.owner.bodyFailed(bufferingError(failure));
  }

  failWith(error: PorticoError): void {
    if (!this.over) this.owner.bodyFailed(error);
  }

  private pause(): void {
    if (this.paused || this.ended) return;
    this.paused = true;
    this.buffering.requests.backpressure.add(1);
    this.body.pause();
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.body.resume();
  }
}

function contentOf({ buffer, length }: Piece): Buffer {
  return buffer.memory.subarray(0, length);
}
