import type { ResponseHead } from '../response/response-head.ts';
import type { UwsResponse } from './uws-api.ts';
import { UwsBodyStream } from './uws-body-stream.ts';
import type { UwsExchange } from './uws-exchange.ts';

// Smaller writes go into the buffer of uWebSockets.js's cork, larger ones to the socket.
const corkBytes = 16_384;

/** A body with Content-Length. uWebSockets.js takes of each chunk what the socket takes and keeps no copy of the rest. */
export class UwsKnownLengthStream extends UwsBodyStream {
  readonly #length: number;
  /** Bytes given to `write`. */
  #accepted = 0;
  /** Where the held chunk starts within the body. */
  #heldStart = 0;
  #complete = false;
  /** What was taken over and not sent yet; empty almost always. */
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
    const left = this.#length - this.#accepted;
    if (this.exchange.pressured && left > 0 && left < corkBytes) {
      // The last piece would be a small one: it goes out together with this one. See `rearm`.
      this.#withheld.push(Buffer.from(chunk));
      return true;
    }
    this.held = this.#withheld.length === 0 ? chunk : Buffer.concat([...this.#withheld.splice(0), chunk]);
    this.#heldStart = this.#accepted - this.held.length;
    this.corked();
    if (this.held === undefined) return true;
    this.block();
    return false;
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
    const [taken, complete] = response.tryEnd(held.subarray(sent - this.#heldStart), this.#length);
    this.#complete = complete;
    const reached = complete ? this.#length : taken ? this.#accepted : response.getWriteOffset();
    if (reached > sent) this.progressed();
    this.exchange.bytesSent = reached;
    if (reached === this.#accepted) this.held = undefined;
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
    if (this.#length - this.exchange.bytesSent >= corkBytes) return this.proceed();
    // As `UwsChunkedStream.rearm`.
    this.response.pause();
    this.response.resume();
    this.exchange.engine.cork.flush(this.response);
  }
}
