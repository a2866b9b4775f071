import type { Exchange } from '../../listener/exchange.ts';
import type { RequestHead } from '../../request/request-head.ts';
import { ExchangeView } from '../../response/exchange-view.ts';
import type { ResponseHead } from '../../response/response-head.ts';

/**
 * The exchange of a client whose request is sent upstream on behalf of the cache: with a head of its own, and going on when
 * the client leaves, as long as somebody else wants the response. What is sent then is dropped.
 */
export class FetchExchange extends ExchangeView {
  private readonly goesOn: () => boolean;
  private abortedCall: (() => void) | undefined;
  /** The client has left, and the request goes on. */
  private left = false;
  private begun = false;
  private cut = false;
  private dropped = 0;

  /** @param goesOn asked when the client has gone: whether the request goes on without it */
  constructor(client: Exchange, head: RequestHead, goesOn: () => boolean) {
    super(client, head);
    this.goesOn = goesOn;
    client.onAborted = () => this.clientGone();
  }

  /** The client's own exchange, as it was. */
  get client(): Exchange {
    return this.inner;
  }

  override get aborted(): boolean {
    return this.left ? this.cut : this.inner.aborted;
  }

  override get responded(): boolean {
    return this.left ? this.begun : this.inner.responded;
  }

  override get bytesSent(): number {
    return this.left ? this.dropped : this.inner.bytesSent;
  }

  override get onAborted(): (() => void) | undefined {
    return this.abortedCall;
  }

  override set onAborted(call: (() => void) | undefined) {
    this.abortedCall = call;
  }

  override respond(head: ResponseHead, body: Uint8Array): void {
    if (this.drop(body.length)) return;
    super.respond(head, body);
  }

  override respondHead(head: ResponseHead, length: number | undefined): void {
    if (this.drop(0)) return;
    super.respondHead(head, length);
  }

  override stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    return this.drop(chunk?.length ?? 0) || super.stream(head, length, chunk);
  }

  override write(chunk: Uint8Array): boolean {
    return this.drop(chunk.length) || super.write(chunk);
  }

  override end(): void {
    if (!this.left) super.end();
  }

  override abort(): void {
    this.cut = true;
    super.abort();
  }

  private drop(bytes: number): boolean {
    if (!this.left) return false;
    this.begun = true;
    this.dropped += bytes;
    return true;
  }

  private clientGone(): void {
    if (!this.cut && this.goesOn()) {
      this.begun = this.inner.responded;
      this.dropped = this.inner.bytesSent;
      this.left = true;
      // Whoever waited for the client to take something need not any more.
      this.inner.onDrain?.();
      return;
    }
    this.abortedCall?.();
  }
}
