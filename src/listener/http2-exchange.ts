import { ErrorCode } from '../http2/frame.ts';
import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import { ResponseHead, serializeFields } from '../response/response-head.ts';
import { BodyWriter } from './body-writer.ts';
import type { EngineExchange } from './engine-core.ts';
import type { ConnectionInfo, RequestBody } from './exchange.ts';
import type { Http2RequestHead } from './http2-request-head.ts';
import type { Http2Stream } from './http2-stream.ts';
import { IncomingBody } from './incoming-body.ts';
import type { NodeEngineCore } from './node-engine-core.ts';
import { NodeWebSocketPeer } from './node-websocket-peer.ts';
import type { WebSocketPeer, WebSocketRequest, WebSocketSink } from './websocket.ts';

const nothing = new Uint8Array(0);

/** Up to this size a body goes out in one frame, together with the end of the stream. */
const singleFrameBytes = 16 * 1024;
/** The library that reads the frames of WebSockets asks for a key, of which there is none in HTTP/2. */
const anyKey = Buffer.alloc(16).toString('base64');

/** An exchange over one stream of an HTTP/2 connection. */
export class Http2Exchange implements EngineExchange {
  readonly engine: NodeEngineCore;
  readonly head: Http2RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: RequestBody;
  /** HTTP/2 has no upgrades (RFC 9113 section 8.6). */
  readonly upgradeRequest = undefined;
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
  /** What still comes of the request is not wanted. */
  mustClose = false;
  readonly #stream: Http2Stream;
  #writer: BodyWriter | undefined;
  #sent = 0;
  #webSocket: NodeWebSocketPeer | undefined;

  constructor(engine: NodeEngineCore, stream: Http2Stream, head: Http2RequestHead, connection: ConnectionInfo) {
    this.engine = engine;
    this.#stream = stream;
    this.head = head;
    this.connection = connection;
    const hasBody = head.bodyLength !== 0 && head.refusal === undefined;
    this.body = hasBody ? new IncomingBody(this, stream, head.bodyLength) : engine.emptyBody;
  }

  get bytesSent(): number {
    return this.#webSocket?.bytesSent ?? this.#writer?.sent ?? this.#sent;
  }

  get webSocketRequest(): WebSocketRequest | undefined {
    return this.head.webSocketRequest;
  }

  respond(head: ResponseHead, body: Uint8Array): void {
    if (!this.#begin(head)) return;
    if (!this.#takesBody(head.status)) {
      const hasLength = head.status !== 304 && head.status !== 204;
      return this.#sendWithoutBody(head, hasLength ? body.length : undefined);
    }
    if (body.length <= singleFrameBytes) {
      this.#sent = body.length;
      this.#stream.session.output.headers(
        this.#stream,
        this.engine.fields.encode(head, body.length),
        body.length === 0,
      );
      // What the client's window has no room for the stream keeps, after the exchange too.
      if (body.length > 0) this.#stream.session.output.data(this.#stream, body, true);
      this.#ended();
      return;
    }
    this.#writer = this.#startBody(head, body.length);
    this.#writer.write(body);
    this.#endBody(this.#writer);
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
    this.#writer = this.#startBody(head, length);
    return chunk === undefined || this.#writer.write(chunk);
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

  /** What is 101 in HTTP/1.1 is 200 here (RFC 8441 section 5). */
  acceptWebSocket(head: ResponseHead, protocol: string, sink: WebSocketSink): WebSocketPeer | undefined {
    const { tunnel, session } = this.#stream;
    if (tunnel === undefined) throw new Error('the request is for no WebSocket');
    if (this.over) return undefined;
    const offer = protocol === '' ? [] : ([['sec-websocket-protocol', protocol]] as const);
    const answer = new ResponseHead(200, head.block).with(serializeFields(offer));
    this.#answered(answer);
    session.output.headers(this.#stream, this.engine.fields.encode(answer, undefined), false);
    const peer = new NodeWebSocketPeer(this, sink);
    this.#webSocket = peer;
    tunnel.isOpen = true;
    peer.open(tunnel, Buffer.alloc(0), anyKey, head, protocol, this.engine.maxWebSocketPayload);
    this.guard(() => this.engine.upgraded(this, peer));
    return peer;
  }

  /** Never called: there is no `upgradeRequest`. */
  acceptUpgrade(): undefined {
    return undefined;
  }

  abort(): void {
    if (this.over) return;
    if (this.#webSocket !== undefined) return this.#webSocket.terminate();
    this.#stream.session.reset(this.#stream, this.responded ? ErrorCode.internalError : ErrorCode.cancel);
    this.clientGone();
  }

  clientGone(): void {
    // The end of a WebSocket is told by its stream.
    if (this.over || this.#webSocket !== undefined) return;
    this.aborted = true;
    this.#release();
    this.guard(this.onAborted);
    this.#finish();
  }

  complete(): void {
    if (this.over) return;
    this.#release();
    this.#finish();
  }

  /** Everything that was written has left. */
  flushed(): void {
    if (this.over) return;
    const state = this.#writer?.flushed();
    if (state === 'complete') this.#ended();
    else if (state === 'ready') this.guard(this.onDrain);
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
    if (this.webSocketRequest !== undefined && head.status < 300) {
      // The client would take it for an open WebSocket.
      this.engine.refuse(this, new PorticoError('protocol_unsupported', `${head.status} in place of a WebSocket`));
      return false;
    }
    this.#answered(head);
    return true;
  }

  #answered({ status }: ResponseHead): void {
    if (this.responded) throw new Error('the request was answered already');
    this.responded = true;
    this.status = status;
    if (this.body instanceof IncomingBody) {
      if (!this.body.complete) this.mustClose = true;
      this.body.respond();
    }
  }

  #takesBody(status: number): boolean {
    return this.head.method !== 'HEAD' && status !== 304 && status !== 204;
  }

  #sendWithoutBody(head: ResponseHead, length: number | undefined): void {
    this.#stream.session.output.headers(this.#stream, this.engine.fields.encode(head, length), true);
    this.#ended();
  }

  #startBody(head: ResponseHead, length: number | undefined): BodyWriter {
    this.#stream.session.output.headers(this.#stream, this.engine.fields.encode(head, length), false);
    // The stream copies what it keeps.
    return new BodyWriter(this.#stream, undefined, length, false, true);
  }

  #endBody(writer: BodyWriter): void {
    const state = writer.end();
    if (state === 'complete') {
      this.#ended();
    } else if (state === 'short') this.abort();
  }

  /** The response is complete: ends the stream, and tells the client to send no more of a body that nobody reads. */
  #ended(): void {
    const { session } = this.#stream;
    if (!this.#stream.localEnded && this.#stream.pending === undefined)
      session.output.data(this.#stream, nothing, true);
    // RFC 9113 section 8.1: a complete response may come before the whole request.
    session.stopReceiving(this.#stream);
    this.complete();
  }

  #release(): void {
    this.over = true;
    if (this.body instanceof IncomingBody) this.body.discard();
  }

  #finish(): void {
    if (this.started && !this.handling) this.engine.finish(this);
  }
}
