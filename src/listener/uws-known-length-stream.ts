import type { ResponseHead } from '../response/response-head.ts';
import type { UwsResponse } from './uws-api.ts';
import { UwsBodyStream } from './uws-body-stream.ts';
import type { UwsExchange } from './uws-exchange.ts';

// So much of a write goes into the buffer of uWebSockets.js's cork in any case; the rest only as far as the socket takes it.
const corkBytes = 16_384;

/** BoringSSL takes a write whole or, for all that it says, not at all: by single records, slow clients are seen to take some. */
const recordBytes = 16_384;

/** A body with Content-Length. uWebSockets.js takes of each chunk what the socket takes and keeps no copy of the rest. */
export class UwsKnownLengthStream extends UwsBodyStream {
  readonly #length: number;
  /** Bytes given to `write`. */
  #accepted = 0;
  /** Where the held chunk starts within the body. */
  #heldStart = 0;
  #heldEnd = 0;
  #complete = false;
  /** What was taken over and not sent yet: at most 16 KB, and nothing almost always. */
  readonly #withheld: Uint8Array[] = [];

  constructor(exchange: UwsExchange, response: UwsResponse, head: ResponseHead, length: number) {
    super(exchange, response, head);
    this.#length = length;
  }

  override get complete(): boolean {
    return this.#complete;
  }

  override write(chunk: Uint8Array): boolean {
    if (this.#accepted + chunk.length > this.#length) {
      throw new RangeError(`more than the ${this.#length} bytes announced were written`);
    }
    if (chunk.length === 0) return true;
    this.#accepted += chunk.length;
    const kept = this.exchange.pressured ? this.#withhold(chunk) : 0;
    if (kept === chunk.length) return true;
    const piece = kept === 0 ? chunk : chunk.subarray(0, chunk.length - kept);
    this.held = kept > 0 || this.#withheld.length === 0 ? piece : Buffer.concat([...this.#withheld.splice(0), piece]);
    this.#heldEnd = this.#accepted - kept;
    this.#heldStart = this.#heldEnd - this.held.length;
    this.corked();
    if (this.held === undefined) return true;
    this.block();
    return false;
  }

  /** Goes on with a body of which the head and a part were sent already. */
  takeOver(body: Uint8Array): void {
    this.head = undefined;
    this.held = body;
    this.#accepted = this.#heldEnd = body.length;
    this.exchange.bytesSent = this.response.getWriteOffset();
    this.block();
  }

  /**
   * Where the last piece would be one that the cork takes whole, keeps back what makes it larger. See `rearm`.
   * @returns how much of the end of the chunk is kept, as a copy
   */
  #withhold(chunk: Uint8Array): number {
    const left = this.#length - this.#accepted;
    if (left === 0 || left > corkBytes) return 0;
    const kept = Math.min(chunk.length, corkBytes + 1 - left);
    this.#withheld.push(Buffer.from(chunk.subarray(chunk.length - kept)));
    return kept;
  }

  override copyHeld(): void {
    if (this.held === undefined) return;
    // What was taken of it is not needed any more.
    this.held = Buffer.from(this.held.subarray(this.exchange.bytesSent - this.#heldStart));
    this.#heldStart = this.exchange.bytesSent;
  }

  override end(): void {
    this.ended = true;
    if (this.#length === 0) this.corked();
    if (this.#complete) this.exchange.complete();
    else if (this.#accepted < this.#length) this.exchange.abort();
  }

  override writeCorked(): void {
    this.writeHead();
    const { held, response } = this;
    if (held === undefined) {
      // Only a body announced as empty comes here; `tryEnd` must not be given nothing.
      response.end();
      this.#complete = true;
      return;
    }
    const sent = this.exchange.bytesSent;
    const reached = this.#send(response, held, sent);
    if (reached > sent) this.progressed();
    this.exchange.bytesSent = reached;
    if (reached === this.#heldEnd) this.held = undefined;
  }

  /** @returns how much of the body is sent then */
  #send(response: UwsResponse, held: Uint8Array, sent: number): number {
    const pieceBytes = this.exchange.isSecure ? recordBytes : held.length;
    for (let from = sent - this.#heldStart; ; from += pieceBytes) {
      const to = Math.min(from + pieceBytes, held.length);
      const [taken, complete] = response.tryEnd(held.subarray(from, to), this.#length);
      this.#complete = complete;
      if (complete) return this.#length;
      if (!taken) return response.getWriteOffset();
      if (to === held.length) return this.#heldEnd;
    }
  }

  protected override proceed(): void {
    if (this.held === undefined) return;
    this.corked();
    if (this.held !== undefined) return;
    this.unblock();
    if (this.#complete && this.ended) this.exchange.complete();
  }

  /**
   * Trying again is harmless, as what is not taken is not kept; but for a small last piece. That one the cork takes whole,
   * and what the socket does not take of it then, uWebSockets.js goes on sending for ten seconds only before it cuts the
   * connection: too short for the full socket of a slow client. It waits until the socket says that there is room.
   */
  protected override rearm(): void {
    if (this.#length - this.exchange.bytesSent > corkBytes) return this.proceed();
    // As `UwsChunkedStream.rearm`.
    this.response.pause();
    this.response.resume();
    this.exchange.engine.cork.flush(this.response);
  }
}
