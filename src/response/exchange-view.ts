import type { ConnectionInfo, Exchange, RequestBody } from '../listener/exchange.ts';
import type { TunnelPeer, TunnelSink, UpgradeRequest } from '../listener/tunnel.ts';
import type { WebSocketPeer, WebSocketRequest, WebSocketSink } from '../listener/websocket.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** An exchange in front of another one: passes everything on, until a subclass does something else. */
export class ExchangeView implements Exchange {
  readonly head: RequestHead;
  readonly body: RequestBody;
  protected inner: Exchange;

  constructor(inner: Exchange, head: RequestHead = inner.head, body: RequestBody = inner.body) {
    this.inner = inner;
    this.head = head;
    this.body = body;
  }

  /**
   * Puts another view between this one and the exchange, before the response begins.
   * @returns false where it belongs around this view instead
   */
  wrapInner(_wrap: (inner: Exchange) => Exchange): boolean {
    return false;
  }

  get connection(): ConnectionInfo {
    return this.inner.connection;
  }

  get context(): RequestContext | undefined {
    return this.inner.context;
  }

  set context(context: RequestContext | undefined) {
    this.inner.context = context;
  }

  get webSocketRequest(): WebSocketRequest | undefined {
    return this.inner.webSocketRequest;
  }

  get upgradeRequest(): UpgradeRequest | undefined {
    return this.inner.upgradeRequest;
  }

  acceptUpgrade(head: ResponseHead, sink: TunnelSink): TunnelPeer | undefined {
    return this.inner.acceptUpgrade(head, sink);
  }

  acceptWebSocket(head: ResponseHead, protocol: string, sink: WebSocketSink): WebSocketPeer | undefined {
    return this.inner.acceptWebSocket(head, protocol, sink);
  }

  get aborted(): boolean {
    return this.inner.aborted;
  }

  get responded(): boolean {
    return this.inner.responded;
  }

  get status(): number {
    return this.inner.status;
  }

  get bytesSent(): number {
    return this.inner.bytesSent;
  }

  get onAborted(): (() => void) | undefined {
    return this.inner.onAborted;
  }

  set onAborted(call: (() => void) | undefined) {
    this.inner.onAborted = call;
  }

  get onDrain(): (() => void) | undefined {
    return this.inner.onDrain;
  }

  set onDrain(call: (() => void) | undefined) {
    this.inner.onDrain = call;
  }

  respond(head: ResponseHead, body: Uint8Array): void {
    this.inner.respond(head, body);
  }

  respondHead(head: ResponseHead, length: number | undefined): void {
    this.inner.respondHead(head, length);
  }

  stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    return chunk === undefined ? this.inner.stream(head, length) : this.inner.stream(head, length, chunk);
  }

  write(chunk: Uint8Array): boolean {
    return this.inner.write(chunk);
  }

  copyHeld(): void {
    this.inner.copyHeld();
  }

  end(): void {
    this.inner.end();
  }

  abort(): void {
    this.inner.abort();
  }
}
