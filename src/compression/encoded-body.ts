import { performance } from 'node:perf_hooks';
import type { Exchange } from '../listener/exchange.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { Coding } from './coding.ts';
import { type Encoder, flushEncoder } from './encoder.ts';

/** Bytes that the encoder is given ahead of what it has done. */
const aheadBytes = 131_072;
/** Bytes of a large chunk that are given to it at a time. */
const pieceBytes = 65_536;

export interface EncodedBodyOptions {
  readonly exchange: Exchange;
  readonly head: ResponseHead;
  readonly encoder: Encoder;
  readonly coding: Coding;
  /** Milliseconds; 0 gives out each chunk at once. */
  readonly flushMs: number;
  /** The writer may go on. */
  readonly onDrain: () => void;
  /** Everything was given back; called once. */
  readonly onClosed: (bytesIn: number, bytesOut: number) => void;
}

/**
 * A response body on its way through an encoder. What is written is copied as long as the encoder is not far behind, and
 * held by reference otherwise; what the encoder gives out waits in it while the client takes nothing. So the memory of
 * a response is bounded, whatever its length and however slow the client.
 */
export class EncodedBody {
  private readonly options: EncodedBodyOptions;
  /** Given to the encoder and not done. */
  private ahead = 0;
  /** What there was no room for. */
  private held: Uint8Array | undefined;
  /** Whether the memory of what is held is never reused, so that nothing has to be copied. */
  private keepsStill = false;
  /** The client does not take more for now. */
  private stalled = false;
  private ended = false;
  private encoderEnded = false;
  private closed = false;
  /** Since when the encoder has held something back; 0 while it does not. */
  private dirtySince = 0;
  private bytesIn = 0;
  private bytesOut = 0;

  constructor(options: EncodedBodyOptions) {
    this.options = options;
    const { exchange, encoder } = options;
    exchange.onDrain = () => this.drained();
    encoder.on('data', (chunk: Buffer) => this.send(chunk));
    encoder.on('end', () => this.encoded());
    // It has no reason to fail but memory; what was sent cannot be completed then.
    encoder.on('error', () => this.fail());
  }

  /**
   * As `Exchange.write`.
   * @param keepsStill says that the memory of the chunk is not reused before the response has ended
   */
  write(chunk: Uint8Array, keepsStill = false): boolean {
    if (this.closed) return true;
    this.held = chunk;
    this.keepsStill = keepsStill;
    this.feed();
    if (this.options.flushMs === 0) this.flush();
    return this.held === undefined;
  }

  copyHeld(): void {
    if (this.held === undefined || this.keepsStill) return;
    this.held = Buffer.from(this.held);
    this.keepsStill = true;
  }

  end(): void {
    if (this.closed || this.ended) return;
    this.ended = true;
    if (this.held === undefined) this.options.encoder.end();
  }

  /** Gives out what was held back for long enough, unless the encoder is busy giving out more anyway. */
  flushIfDue(now: number): void {
    if (this.dirtySince === 0 || this.ahead > 0 || this.stalled || this.ended) return;
    if (now - this.dirtySince >= this.options.flushMs) this.flush();
  }

  /** Nobody wants the rest: frees the encoder. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.held = undefined;
    this.options.encoder.destroy();
    this.options.onClosed(this.bytesIn, this.bytesOut);
  }

  /** Gives the encoder as much of what is held as it may have. */
  private feed(): void {
    while (this.held !== undefined && this.ahead < aheadBytes) {
      const piece = this.held.subarray(0, pieceBytes);
      this.held = piece.length === this.held.length ? undefined : this.held.subarray(piece.length);
      this.ahead += piece.length;
      this.bytesIn += piece.length;
      if (this.dirtySince === 0) this.dirtySince = performance.now();
      this.options.encoder.write(this.keepsStill ? piece : Buffer.from(piece), () => this.done(piece.length));
    }
  }

  private done(count: number): void {
    this.ahead -= count;
    if (this.closed || this.held === undefined) return;
    this.feed();
    if (this.held !== undefined) return;
    if (this.ended) this.options.encoder.end();
    else this.options.onDrain();
  }

  /** Gives out all there is; without anything the beginning of the coding, if it has one, and with it the head. */
  flush(): void {
    this.dirtySince = 0;
    flushEncoder(this.options.encoder, this.options.coding);
  }

  private send(chunk: Buffer): void {
    if (this.closed) return;
    const { exchange, head, encoder } = this.options;
    this.bytesOut += chunk.length;
    const taken = exchange.responded ? exchange.write(chunk) : exchange.stream(head, undefined, chunk);
    if (taken || this.closed) return;
    this.stalled = true;
    encoder.pause();
  }

  private drained(): void {
    if (this.closed || !this.stalled) return;
    this.stalled = false;
    if (this.encoderEnded) this.finish();
    else this.options.encoder.resume();
  }

  private encoded(): void {
    this.encoderEnded = true;
    if (!this.stalled) this.finish();
  }

  private finish(): void {
    if (this.closed) return;
    this.close();
    this.options.exchange.end();
  }

  private fail(): void {
    if (this.closed) return;
    this.close();
    this.options.exchange.abort();
  }
}
