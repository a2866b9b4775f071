import type { ResponseHead } from '../response/response-head.ts';
import type { CorkTask } from './cork.ts';
import { SendPace } from './send-pace.ts';
import type { Stallable } from './stall-watch.ts';
import type { UwsResponse } from './uws-api.ts';
import type { UwsExchange } from './uws-exchange.ts';

/**
 * A response whose body is sent in pieces. It holds by reference what the client does not take yet, goes on when the
 * socket takes more, and has the exchange aborted when the client takes nothing for too long.
 */
export abstract class UwsBodyStream implements CorkTask, Stallable {
  protected readonly exchange: UwsExchange;
  protected readonly response: UwsResponse;
  /** What was given to `write` and not taken by the socket yet. */
  protected held: Uint8Array | undefined;
  protected ended = false;
  /** The head, until it is written with the first piece of the body: it cannot be written alone. */
  protected head: ResponseHead | undefined;
  #waiting = false;
  #hasWritableCallback = false;
  #progressAt = 0;
  #pace: SendPace | undefined;

  constructor(exchange: UwsExchange, response: UwsResponse, head: ResponseHead) {
    this.exchange = exchange;
    this.response = response;
    this.head = head;
  }

  /** Whether the writer has to wait for `onDrain`. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Whether the socket has taken the whole body: the response object is dead then. */
  get complete(): boolean {
    return false;
  }

  /** As `Exchange.write`. */
  abstract write(chunk: Uint8Array): boolean;
  abstract end(): void;
  /** As `Exchange.copyHeld`. */
  copyHeld(): void {
    if (this.held !== undefined) this.held = Buffer.from(this.held);
  }

  /** Sends one piece; called within a cork. */
  abstract writeCorked(): void;
  /** Sends what is held as far as the socket takes it, and calls `unblock` when it took everything. */
  protected abstract proceed(): void;
  /** Makes uWebSockets.js wait on for a client that takes nothing. */
  protected abstract rearm(): void;

  /** Lets go of everything, when the exchange is over. */
  release(): void {
    this.held = undefined;
    this.#waiting = false;
    this.exchange.engine.watch.delete(this);
  }

  checkStall(now: number): void {
    const { engine, bytesSent } = this.exchange;
    const { timeouts } = engine;
    const stalled = now - this.#progressAt > timeouts.sendMs;
    this.#pace ??= new SendPace();
    if (!stalled && !this.#pace.isTooSlow(now, bytesSent, timeouts)) return this.exchange.guard(this.#rearm);
    engine.cut(stalled ? 'send_timeout' : 'send_rate');
    this.exchange.abort();
  }

  /** Writes the head when it is not written yet. */
  protected writeHead(): void {
    if (this.head === undefined) return;
    this.response.writeStatus(this.head.block);
    if (this.exchange.closing) this.response.writeHeader('Connection', 'close');
    this.head = undefined;
  }

  /** Runs `writeCorked` corked: within uWebSockets.js's request callback everything is. */
  protected corked(): void {
    if (this.exchange.corked) this.writeCorked();
    else this.exchange.engine.cork.run(this.response, this);
  }

  protected progressed(): void {
    this.#progressAt = performance.now();
  }

  /** The socket takes no more: waits until it does. */
  protected block(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.exchange.pressured = true;
    this.progressed();
    this.exchange.engine.watch.add(this);
    if (this.#hasWritableCallback) return;
    // Once only: the compatibility build loses a callback that replaces another from within it.
    this.#hasWritableCallback = true;
    this.response.onWritable(() => {
      this.exchange.guard(this.writable);
      // What false would mean, that nothing more could be sent, is handled here already.
      return true;
    });
  }

  /** Everything was taken: the writer may go on. */
  protected unblock(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#pace?.rest();
    this.exchange.engine.watch.delete(this);
    if (!this.ended) this.exchange.onDrain?.();
  }

  /** For `guard`, which takes a function: bound once a stream, as only slow clients need it. */
  readonly #rearm = (): void => this.rearm();

  protected readonly writable = (): void => {
    if (this.exchange.over) return;
    this.progressed();
    this.proceed();
  };
}
