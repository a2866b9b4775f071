import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { BodyWriter } from './body-writer.ts';
import type { EngineExchange } from './engine-core.ts';
import type { ConnectionInfo, RequestBody } from './exchange.ts';
import type { Http1Connection } from './http1-connection.ts';
import type { Http1RequestHead } from './http1-request-head.ts';
import type { ResponseFraming } from './http1-response-head.ts';
import { IncomingBody } from './incoming-body.ts';
import type { NodeEngineCore } from './node-engine-core.ts';
import { NodeTunnelPeer } from './node-tunnel-peer.ts';
import { NodeWebSocketPeer } from './node-websocket-peer.ts';
import type { TunnelPeer, TunnelSink, UpgradeRequest } from './tunnel.ts';
import type { WebSocketPeer, WebSocketRequest, WebSocketSink } from './websocket.ts';

/** Up to this size a body is sent in one piece of memory with its head. */
const singlePieceBytes = 16 * 1024;

/** An exchange over HTTP/1 on a node socket. */
export class Http1Exchange implements EngineExchange {
  readonly engine: NodeEngineCore;
  readonly head: Http1RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: RequestBody;
  context: RequestContext | undefined = undefined;
  aborted = false;
  responded = false;
  status = 0;
  onAborted: (() => void) | undefined = undefined;
  onDrain: (() => void) | undefined = undefined;

  started = false;
  over = false;
  /** Within the handler's call: `finished` waits for its end. */
  handling = false;
  /** The connection must end behind the response, as what follows on it cannot be trusted or is not wanted. */
  mustClose = false;
  /** The connection takes no further request. */
  last = false;
  readonly #connection: Http1Connection;
  #sent = 0;
  #writer: BodyWriter | undefined;
  /** What the exchange has become. */
  #peer: NodeWebSocketPeer | NodeTunnelPeer | undefined;

  constructor(engine: NodeEngineCore, connection: Http1Connection, head: Http1RequestHead) {
    this.engine = engine;
    this.head = head;
    this.#connection = connection;
    this.connection = connection.info;
    const hasBody = head.bodyLength !== 0 && head.refusal === undefined;
    this.body = hasBody ? new IncomingBody(this, connection.bodySource, head.bodyLength) : engine.emptyBody;
  }

  get bytesSent(): number {
    return this.#peer?.bytesSent ?? this.#writer?.sent ?? this.#sent;
  }

  get webSocketRequest(): WebSocketRequest | undefined {
    return this.head.webSocketRequest;
  }

  get upgradeRequest(): UpgradeRequest | undefined {
    return this.head.upgradeRequest;
  }

  /** Whether the connection ends behind the response. */
  get closing(): boolean {
    return this.mustClose || this.last || this.head.close || this.engine.draining;
  }

  respond(head: ResponseHead, body: Uint8Array): void {
    if (!this.#begin(head)) return;
    if (!this.#takesBody(head.status)) {
      const hasLength = head.status !== 304 && head.status !== 204;
      this.#sendWithoutBody(head, hasLength ? body.length : undefined);
    } else if (body.length <= singlePieceBytes) {
      this.#sent = body.length;
      this.#connection.write(this.engine.heads.write(head, body.length, this.#connectionOption(), body));
      this.complete();
    } else {
      this.#writer = this.#startBody(head, body.length, true);
      this.#writer.write(body);
      this.#endBody(this.#writer);
    }
  }

  respondHead(head: ResponseHead, length: number | undefined): void {
    if (this.#begin(head)) this.#sendWithoutBody(head, head.status === 204 ? undefined : length);
  }

  stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    if (!this.#begin(head)) return true;
    if (!this.#takesBody(head.status)) {
      this.#sendWithoutBody(head, head.status === 204 ? undefined : length);
      return true;
    }
    this.#writer = this.#startBody(head, length, false);
    if (chunk !== undefined) return this.#writer.write(chunk);
    // It may be long until there is a body, and the head is what the client waits for.
    this.#writer.flushHead();
    return true;
  }

  write(chunk: Uint8Array): boolean {
    if (this.over) return true;
    if (this.#writer === undefined) throw new Error('write before stream');
    if (this.#writer.waiting) throw new Error('write before onDrain');
    return this.#writer.write(chunk);
  }

  copyHeld(): void {
    this.#writer?.copyHeld();
  }

  end(): void {
    if (this.over) return;
    if (this.#writer === undefined) throw new Error('end before stream');
    this.#endBody(this.#writer);
  }

  acceptWebSocket(head: ResponseHead, protocol: string, sink: WebSocketSink): WebSocketPeer | undefined {
    if (this.head.webSocketRequest === undefined) throw new Error('the request is for no WebSocket');
    if (!this.#begin(head)) return undefined;
    const peer = new NodeWebSocketPeer(this, sink);
    this.#peer = peer;
    const { socket, rest } = this.#connection.handOver();
    const key = this.head.fields.get('sec-websocket-key') ?? '';
    peer.open(socket, rest ?? Buffer.alloc(0), key, head, protocol, this.engine.maxWebSocketPayload);
    this.guard(() => this.engine.upgraded(this, peer));
    return peer;
  }

  acceptUpgrade(head: ResponseHead, sink: TunnelSink): TunnelPeer | undefined {
    if (this.head.upgradeRequest === undefined) throw new Error('the request is for no other protocol');
    if (this.body instanceof IncomingBody && !this.body.complete) throw new Error('the body comes before the upgrade');
    if (!this.#begin(head)) return undefined;
    const { socket, rest } = this.#connection.handOver();
    const peer = new NodeTunnelPeer(this, sink, socket, rest);
    this.#peer = peer;
    peer.open(this.engine.heads.write(head, 'none', 'Upgrade'));
    this.guard(() => this.engine.upgraded(this, peer));
    return peer;
  }

  abort(): void {
    if (this.over) return;
    if (this.#peer !== undefined) return this.#peer.terminate();
    this.#connection.cut();
    this.clientGone();
  }

  /** The connection has ended before the response was complete. */
  clientGone(): void {
    if (this.over || this.#peer !== undefined) return;
    this.aborted = true;
    this.#release();
    this.guard(this.onAborted);
    this.#finish();
  }

  /** Everything that was written has left the process. */
  flushed(): void {
    const state = this.#writer?.flushed();
    if (state === 'complete') this.complete();
    else if (state === 'ready') this.guard(this.onDrain);
  }

  /** The response is complete. */
  complete(): void {
    if (this.over) return;
    this.#release();
    this.#finish();
  }

  guard(step: (() => void) | undefined): void {
    try {
      step?.();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(cause: unknown): void {
    const error = new PorticoError('internal', 'a step of the request has thrown', { cause });
    if (this.responded || this.over) {
      if (this.context !== undefined) this.context.error ??= error;
      this.engine.report(error);
      this.abort();
      return;
    }
    this.engine.refuse(this, error);
  }

  /** @returns whether there is somebody to answer */
  #begin(head: ResponseHead): boolean {
    if (this.over) return false;
    if (this.responded) throw new Error('the request was answered already');
    this.responded = true;
    this.status = head.status;
    if (this.body instanceof IncomingBody) {
      if (!this.body.complete) this.mustClose = true;
      this.body.respond();
    }
    return true;
  }

  #takesBody(status: number): boolean {
    return this.head.method !== 'HEAD' && status !== 304 && status !== 204;
  }

  #sendWithoutBody(head: ResponseHead, length: number | undefined): void {
    this.#connection.write(this.engine.heads.write(head, length ?? 'none', this.#connectionOption()));
    this.complete();
  }

  #startBody(head: ResponseHead, length: number | undefined, shared: boolean): BodyWriter {
    const framing: ResponseFraming = length ?? (this.head.protocol === 'HTTP/1.0' ? 'close' : 'chunked');
    if (framing === 'close') this.mustClose = true;
    const first = this.engine.heads.write(head, framing, this.#connectionOption());
    return new BodyWriter(this.#connection, first, length, framing === 'chunked', shared);
  }

  #endBody(writer: BodyWriter): void {
    const state = writer.end();
    if (state === 'complete') this.complete();
    else if (state === 'short') this.abort();
  }

  #connectionOption(): string {
    if (this.closing) return 'close';
    return this.head.protocol === 'HTTP/1.0' ? 'keep-alive' : '';
  }

  #release(): void {
    this.over = true;
    if (this.body instanceof IncomingBody) this.body.discard();
  }

  #finish(): void {
    if (this.started && !this.handling) this.engine.finish(this);
    this.#connection.exchangeOver(this);
  }
}
