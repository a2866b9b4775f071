// The global of that name is looked up by a call each time.
import { performance } from 'node:perf_hooks';
import { PorticoError } from '../response/portico-error.ts';
import { type ChunkPool, type SmallPiece, smallPieceBytes } from './chunk-pool.ts';
import type { EngineTimeouts } from './engine.ts';
import type { BodySink, RequestBody } from './exchange.ts';
import type { Stallable, StallWatch } from './stall-watch.ts';

// Bytes held back for a reader that is not there yet or has paused; then the socket is paused.
const heldBytesBeforePause = 64 * 1024;

/** The body of a request that has none. One for all of them: it keeps nothing. */
export class EmptyRequestBody implements RequestBody {
  readonly declaredLength = 0;
  readonly received = 0;
  limit = Number.POSITIVE_INFINITY;

  read(sink: BodySink): void {
    sink.end();
  }

  release(): void {
    // Nothing was given.
  }

  pause(): void {
    // Nothing flows.
  }

  resume(): void {
    // Nothing flows.
  }
}

/** The exchange whose body it is. */
export interface BodyOwner {
  readonly engine: { readonly chunks: ChunkPool; readonly watch: StallWatch; readonly timeouts: EngineTimeouts };
  readonly over: boolean;
  /** The connection must end behind the response. */
  mustClose: boolean;
  /** Whether the handler has the request. */
  readonly started: boolean;
  /** Gives it to the handler now, where an engine waits for what comes with the head. */
  handleNow?(): void;
  guard(step: () => void): void;
}

/** Where the body comes from. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Somebody reads. */
  begin?(): void;
}

/**
 * A request body as it comes. What nobody has taken yet is held, as copies; from 64 KB on the socket is paused. A paused
 * socket still delivers until a read of 512 KB is not full: up to the kernel's receive buffer, and from a client on the same
 * machine, which refills that as fast as it is read, tens of megabytes. The firm bound is `limit`.
 *
 * uWebSockets.js cuts a body of less than 160 KB in 10 s unless the socket is paused and resumed every few seconds.
 */
export class IncomingBody implements RequestBody, Stallable {
  readonly declaredLength: number | undefined;
  received = 0;
  limit = Number.POSITIVE_INFINITY;
  readonly #exchange: BodyOwner;
  readonly #chunks: ChunkPool;
  readonly #source: BodySource;
  #sink: BodySink | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #complete = false;
  #failure: PorticoError | undefined;
  /** Last call of the sink made, or nobody will read any more. */
  #over = false;
  /** The reader asked for no more. */
  #readerPaused = false;
  #socketPaused = false;
  #responding = false;
  #flushing = false;
  /** Both since `awaitMore`: nobody asks before. */
  #activeAt = 0;
  #startedAt = 0;
  #watched = false;
  /** The whole body, in memory that is gone when uWebSockets.js's callback returns. */
  #arriving: ArrayBuffer | undefined;
  /** Where the whole body is that was taken. */
  #taken: SmallPiece | undefined;
  /** How long the socket has been paused, all together, without the present pause. */
  #pausedMs = 0;
  #pausedAt = 0;

  constructor(exchange: BodyOwner, source: BodySource, length: number | undefined) {
    this.#exchange = exchange;
    this.#chunks = exchange.engine.chunks;
    this.#source = source;
    this.declaredLength = length;
  }

  /** Whether the whole body has come. */
  get complete(): boolean {
    return this.#complete;
  }

  read(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error('the body is being read already');
    this.#sink = sink;
    this.#checkLimit(Math.max(this.declaredLength ?? 0, this.received));
    if (this.#failure === undefined) this.#source.begin?.();
    this.#flushSoon();
  }

  takeWhole(): Buffer | undefined {
    const whole = this.#arriving;
    if (whole === undefined || this.#sink !== undefined || whole.byteLength > this.limit) return undefined;
    this.#arriving = undefined;
    this.#over = true;
    this.#taken = this.#chunks.lendSmall(whole);
    return this.#taken.view;
  }

  release(chunk: Buffer): void {
    const taken = this.#taken;
    if (taken === undefined || taken.view !== chunk) return this.#chunks.release(chunk);
    this.#taken = undefined;
    this.#chunks.giveBack(taken);
  }

  pause(): void {
    this.#readerPaused = true;
    this.#pauseSocket();
  }

  resume(): void {
    if (!this.#readerPaused) return;
    this.#readerPaused = false;
    this.#flushSoon();
  }

  /**
   * A piece has come.
   * @param chunk an ArrayBuffer's memory is gone afterwards; a Buffer is given away
   * @param later whether the reader must not have it from within this call
   */
  receive(chunk: ArrayBuffer | Buffer, last: boolean, later = false): void {
    if (last) this.#finishReceiving();
    if (this.#over) return;
    if (last && !later && !Buffer.isBuffer(chunk) && !this.#exchange.started && this.#isWhole(chunk))
      return this.#handleWhole(chunk);
    this.received += chunk.byteLength;
    this.#activeAt = performance.now();
    if (this.#failure !== undefined) return;
    this.#checkLimit(this.received);
    if (this.#failure !== undefined) {
      this.#flushSoon();
    } else if (later) {
      this.#hold(chunk);
      if (this.#sink !== undefined) this.#flushSoon();
    } else if (this.#sink !== undefined && !this.#readerPaused && this.#held.length === 0) {
      this.#deliver(chunk);
    } else if (this.#sink?.lend !== undefined && this.#held.length === 0 && this.#readerPaused) {
      // It bounds what it keeps itself, and a paused socket still delivers.
      this.#deliver(chunk);
    } else {
      this.#hold(chunk);
    }
  }

  /** The whole body has come with the head, or right behind it: the request need not wait. */
  #handleWhole(chunk: ArrayBuffer): void {
    this.received = chunk.byteLength;
    this.#arriving = chunk;
    this.#exchange.handleNow?.();
    // Who reads it does so later.
    if (this.#arriving !== undefined && !this.#over) this.#hold(chunk);
    this.#arriving = undefined;
  }

  #isWhole({ byteLength }: ArrayBuffer): boolean {
    return this.received === 0 && byteLength === this.declaredLength && byteLength <= smallPieceBytes;
  }

  /** Called when the body did not come together with the head: from now on it must not take too long. */
  awaitMore(): void {
    if (this.#complete || this.#over) return;
    this.#watched = true;
    this.#activeAt = this.#startedAt = performance.now();
    this.#exchange.engine.watch.add(this);
  }

  /** What comes is no body. */
  refuse(failure: PorticoError): void {
    this.#fail(failure);
  }

  checkStall(now: number): void {
    // A paused socket has no timer and is nobody's delay but the reader's.
    if (this.#socketPaused || this.#responding) return;
    if (now - this.#activeAt > this.#exchange.engine.timeouts.requestBodyMs) {
      this.#fail(
        new PorticoError(
          'request_timeout',
          `nothing of the body came for ${this.#exchange.engine.timeouts.requestBodyMs} ms`,
        ),
      );
      return;
    }
    if (this.#isTooSlow(now)) {
      const { minBodyRate } = this.#exchange.engine.timeouts;
      this.#fail(new PorticoError('request_timeout', `the body comes slower than ${minBodyRate} bytes a second`));
      return;
    }
    this.#source.pause();
    this.#source.resume();
  }

  /** Whether less came than the minimum rate asks for in the time in which it could have. */
  #isTooSlow(now: number): boolean {
    const { minBodyRate, minBodyRateGraceMs } = this.#exchange.engine.timeouts;
    const flowingMs = now - this.#startedAt - this.#pausedMs - minBodyRateGraceMs;
    return this.received * 1000 < minBodyRate * flowingMs;
  }

  /** A response begins: from here on the socket must flow, because a paused one would not take the response's end. */
  respond(): void {
    if (this.#responding) return;
    this.#responding = true;
    this.#resumeSocket();
  }

  /** The exchange is over: what still comes is thrown away. */
  discard(): void {
    this.#over = true;
    if (this.#held.length > 0) {
      for (const chunk of this.#held) this.#chunks.release(chunk);
      this.#held = [];
      this.#heldBytes = 0;
    }
    this.#unwatch();
  }

  /** Called by `flushBody` only. */
  flush(): void {
    this.#flushing = false;
    const sink = this.#sink;
    if (sink === undefined) return;
    while (!this.#over && this.#failure === undefined && !this.#readerPaused) {
      const chunk = this.#held.shift();
      if (chunk === undefined) break;
      this.#heldBytes -= chunk.length;
      sink.data(chunk);
    }
    if (this.#over) return;
    if (this.#failure !== undefined) this.#tellFailure(sink, this.#failure);
    else if (!this.#readerPaused && this.#held.length === 0) this.#flushed(sink);
  }

  #flushed(sink: BodySink): void {
    if (!this.#complete) {
      this.#resumeSocket();
      return;
    }
    this.#over = true;
    sink.end();
  }

  #deliver(chunk: ArrayBuffer | Buffer): void {
    const sink = this.#sink as BodySink;
    if (chunk.byteLength > 0) {
      if (Buffer.isBuffer(chunk)) sink.data(chunk);
      else if (sink.lend !== undefined) sink.lend(Buffer.from(chunk));
      else sink.data(this.#chunks.copy(chunk));
    }
    if (this.#over || !this.#complete) return;
    // A reader that paused within `data` gets the end when it resumes.
    if (this.#readerPaused) return;
    this.#over = true;
    sink.end();
  }

  #hold(chunk: ArrayBuffer | Buffer): void {
    if (chunk.byteLength === 0) return;
    this.#held.push(Buffer.isBuffer(chunk) ? chunk : this.#chunks.copy(chunk));
    this.#heldBytes += chunk.byteLength;
    if (this.#heldBytes >= heldBytesBeforePause) this.#pauseSocket();
  }

  #finishReceiving(): void {
    this.#complete = true;
    this.#unwatch();
  }

  #unwatch(): void {
    if (!this.#watched) return;
    this.#watched = false;
    this.#exchange.engine.watch.delete(this);
  }

  #checkLimit(bytes: number): void {
    if (bytes <= this.limit) return;
    this.#fail(new PorticoError('body_too_large', `a body of more than ${this.limit} bytes`));
  }

  #fail(failure: PorticoError): void {
    if (this.#failure !== undefined || this.#over) return;
    this.#failure = failure;
    this.#held = [];
    this.#heldBytes = 0;
    // What is still coming would be taken for the next request by nobody but us, and is not wanted.
    this.#exchange.mustClose = true;
    this.#unwatch();
    if (this.#sink !== undefined) this.#flushSoon();
  }

  #tellFailure(sink: BodySink, failure: PorticoError): void {
    this.#over = true;
    sink.failed(failure);
  }

  #flushSoon(): void {
    if (this.#flushing || this.#over) return;
    this.#flushing = true;
    setImmediate(flushBody, this, this.#exchange);
  }

  #pauseSocket(): void {
    if (this.#socketPaused || this.#responding || this.#complete || this.#over) return;
    this.#socketPaused = true;
    this.#pausedAt = performance.now();
    this.#source.pause();
  }

  #resumeSocket(): void {
    if (!this.#socketPaused) return;
    this.#socketPaused = false;
    this.#activeAt = performance.now();
    this.#pausedMs += this.#activeAt - this.#pausedAt;
    if (!this.#exchange.over) this.#source.resume();
  }
}

function flushBody(body: IncomingBody, exchange: BodyOwner): void {
  exchange.guard(() => body.flush());
}
