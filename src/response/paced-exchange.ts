import { performance } from 'node:perf_hooks';
import type { Exchange } from '../listener/exchange.ts';
import { ExchangeView } from './exchange-view.ts';
import type { PaceClock, Paced } from './pace-clock.ts';
import type { ResponseHead } from './response-head.ts';

/** Seconds' worth of bytes that go out at once, so that what is small is not slowed down. */
const burstSeconds = 1;

/**
 * Sends a response body no faster than so many bytes a second, as NGINX counts them (`limit_rate`): over the whole
 * response, after a first second's worth at once. Holds no memory of its own: the writer keeps its chunk until it has
 * gone out, as with a client that is slow by itself.
 */
export class PacedExchange extends ExchangeView implements Paced {
  /** Bytes a second. */
  private rate: number;
  private readonly clock: PaceClock;
  private startedAt = 0;
  private sent = 0;
  /** What the writer has given and may not touch before `onDrain`. */
  private held: Uint8Array | undefined;
  private position = 0;
  /** The connection does not take more for now. */
  private stalled = false;
  /** A response given whole: nobody else ends it. */
  private endsItself = false;
  private drainCall: (() => void) | undefined;

  constructor(inner: Exchange, rate: number, clock: PaceClock) {
    super(inner);
    this.rate = rate;
    this.clock = clock;
  }

  /** From now on another rate counts. @param rate bytes a second; Infinity for no bound */
  setRate(rate: number): void {
    this.rate = rate;
  }

  override get onDrain(): (() => void) | undefined {
    return this.drainCall;
  }

  override set onDrain(call: (() => void) | undefined) {
    this.drainCall = call;
  }

  override respond(head: ResponseHead, body: Uint8Array): void {
    if (!this.takesBody(head.status) || body.length <= this.rate * burstSeconds) return this.inner.respond(head, body);
    this.endsItself = true;
    if (this.stream(head, body.length, body)) this.inner.end();
  }

  override stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    if (!this.takesBody(head.status)) return super.stream(head, length, chunk);
    this.startedAt = performance.now();
    this.inner.onDrain = () => this.innerDrained();
    if (chunk === undefined) return this.inner.stream(head, length);
    const first = Math.min(chunk.length, this.allowance(this.startedAt));
    if (first === 0) this.inner.stream(head, length);
    else this.stalled = !this.inner.stream(head, length, chunk.subarray(0, first));
    this.sent += first;
    this.held = chunk;
    this.position = first;
    return this.push(this.startedAt);
  }

  override write(chunk: Uint8Array): boolean {
    if (this.aborted) return true;
    this.held = chunk;
    this.position = 0;
    return this.push(performance.now());
  }

  override copyHeld(): void {
    super.copyHeld();
    if (this.held === undefined) return;
    this.held = Buffer.from(this.held.subarray(this.position));
    this.position = 0;
  }

  tick(now: number): boolean {
    if (this.aborted) {
      this.held = undefined;
      return false;
    }
    if (this.stalled || this.held === undefined) return false;
    if (this.push(now)) this.drained();
    // Whoever was told may have written the next chunk, which waits in turn.
    return this.held !== undefined && !this.stalled;
  }

  /** Hands on as much as is allowed. @returns whether the chunk is gone; otherwise somebody calls again */
  private push(now: number): boolean {
    while (!this.stalled && this.held !== undefined) {
      const left = this.held.length - this.position;
      if (left === 0) {
        this.held = undefined;
        return true;
      }
      const count = Math.min(left, this.allowance(now));
      if (count === 0) {
        this.clock.add(this);
        return false;
      }
      const piece = this.held.subarray(this.position, this.position + count);
      this.position += count;
      this.sent += count;
      this.stalled = !this.inner.write(piece);
    }
    return !this.stalled;
  }

  private innerDrained(): void {
    if (!this.stalled) return;
    this.stalled = false;
    if (this.push(performance.now())) this.drained();
  }

  private drained(): void {
    if (this.endsItself) this.inner.end();
    else this.drainCall?.();
  }

  /** Bytes that may go out now. */
  private allowance(now: number): number {
    if (this.rate === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    const seconds = (now - this.startedAt) / 1000 + burstSeconds;
    return Math.max(0, Math.floor(this.rate * seconds) - this.sent);
  }

  private takesBody(status: number): boolean {
    return this.head.method !== 'HEAD' && status !== 304 && status !== 204;
  }
}

/** The exchange, sending no faster than that. @param rate bytes a second; 0 for no bound, be it one set before */
export function limitRate(exchange: Exchange, rate: number, clock: PaceClock): Exchange {
  if (exchange instanceof PacedExchange) {
    exchange.setRate(rate === 0 ? Number.POSITIVE_INFINITY : rate);
    return exchange;
  }
  // What counts is what goes over the wire, so a view that changes the body stays outside.
  if (exchange instanceof ExchangeView && exchange.wrapInner((inner) => limitRate(inner, rate, clock))) return exchange;
  return rate === 0 ? exchange : new PacedExchange(exchange, rate, clock);
}
