/** What takes bytes: a connection, or a stream of one. */
export interface ByteSink {
  /** @returns whether they have left already; otherwise somebody is told when they have */
  write(bytes: Uint8Array): boolean;
  /** Whether more may be written although something has not left. */
  readonly hasRoom: boolean;
}

/** Bytes given to the socket at a time: while it has them it refers to them, so this is what a slow client may hold. */
const pieceBytes = 64 * 1024;
const chunkEnd = Buffer.from('\r\n', 'latin1');
const lastChunk = Buffer.from('0\r\n\r\n', 'latin1');

/**
 * Sends a response body in pieces, each when the one before has left. Pieces are copied, because the writer may use its
 * memory again as soon as it was told so, which is before the socket has let go of a piece.
 */
export class BodyWriter {
  /** Bytes of body that the socket was given. */
  sent = 0;
  readonly #sink: ByteSink;
  readonly #length: number | undefined;
  readonly #chunked: boolean;
  /** The chunks stay untouched until all is sent: no copies are needed. */
  readonly #shared: boolean;
  #accepted = 0;
  #held: Uint8Array | undefined;
  #blocked = false;
  #ended = false;
  #first: Uint8Array | undefined;

  /**
   * @param first  the head, sent together with the first piece; undefined where it went out by itself
   * @param length what was announced; undefined for none
   */
  constructor(
    sink: ByteSink,
    first: Uint8Array | undefined,
    length: number | undefined,
    chunked: boolean,
    shared: boolean,
  ) {
    this.#sink = sink;
    this.#first = first;
    this.#length = length;
    this.#chunked = chunked;
    this.#shared = shared;
  }

  get waiting(): boolean {
    return this.#blocked;
  }

  /** Sends the head by itself. */
  flushHead(): void {
    if (this.#first === undefined) return;
    const head = this.#first;
    this.#first = undefined;
    this.#sink.write(head);
  }

  /** As `Exchange.write`. */
  write(chunk: Uint8Array): boolean {
    if (this.#length !== undefined && this.#accepted + chunk.length > this.#length) {
      throw new RangeError(`more than the ${this.#length} bytes announced were written`);
    }
    this.#accepted += chunk.length;
    if (chunk.length === 0) return true;
    this.#held = chunk;
    return this.#pump();
  }

  copyHeld(): void {
    if (this.#held !== undefined) this.#held = Buffer.from(this.#held);
  }

  /** @returns `short` when less was written than announced; `later` when something has to leave first; else `complete` */
  end(): 'complete' | 'later' | 'short' {
    this.#ended = true;
    if (this.#length !== undefined && this.#accepted < this.#length) return 'short';
    if (this.#blocked) return 'later';
    this.#finish();
    return 'complete';
  }

  /** Everything given to the socket has left. @returns whether the writer may go on, or the response is complete */
  flushed(): 'blocked' | 'ready' | 'complete' {
    if (!this.#blocked || !this.#pump()) return 'blocked';
    this.#blocked = false;
    if (!this.#ended) return 'ready';
    this.#finish();
    return 'complete';
  }

  /** @returns whether everything that was given has left */
  #pump(): boolean {
    while (this.#held !== undefined) {
      const rest = this.#held;
      const piece = rest.length <= pieceBytes ? rest : rest.subarray(0, pieceBytes);
      this.#held = rest.length <= pieceBytes ? undefined : rest.subarray(pieceBytes);
      this.sent += piece.length;
      if (this.#give(piece)) continue;
      // Copies may wait in numbers; what is shared is waited for.
      if (!this.#shared && this.#sink.hasRoom) continue;
      this.#blocked = true;
      return false;
    }
    return true;
  }

  #give(piece: Uint8Array): boolean {
    const before = this.#first;
    this.#first = undefined;
    if (this.#chunked) {
      const size = Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1');
      return this.#sink.write(
        Buffer.concat(before === undefined ? [size, piece, chunkEnd] : [before, size, piece, chunkEnd]),
      );
    }
    if (this.#shared) {
      if (before !== undefined) this.#sink.write(before);
      return this.#sink.write(piece);
    }
    return this.#sink.write(before === undefined ? Buffer.from(piece) : Buffer.concat([before, piece]));
  }

  #finish(): void {
    this.flushHead();
    if (this.#chunked) this.#sink.write(lastChunk);
  }
}
