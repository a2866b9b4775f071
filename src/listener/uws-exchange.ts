import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { CorkTask } from './cork.ts';
import type { EngineExchange } from './engine-core.ts';
import type { ConnectionInfo, RequestBody } from './exchange.ts';
import { IncomingBody } from './incoming-body.ts';
import type { UwsResponse, UwsWebSocketContext } from './uws-api.ts';
import type { UwsBodyStream } from './uws-body-stream.ts';
import { UwsChunkedStream } from './uws-chunked-stream.ts';
import type { UwsEngineCore } from './uws-engine-core.ts';
import { UwsKnownLengthStream } from './uws-known-length-stream.ts';
import type { UwsRequestHead } from './uws-request-head.ts';
import type { UwsWebSocketData } from './uws-websocket-behavior.ts';
import { UwsWebSocketPeer } from './uws-websocket-peer.ts';
import type { WebSocketPeer, WebSocketRequest, WebSocketSink } from './websocket.ts';

// Up to this size a body is handed over whole and copied when the socket is full; larger ones are held by reference.
const singleShotBytes = 15_000;

const nothing = new Uint8Array(0);

/** Tells about the connection that a request came by. */
export interface UwsConnectionSource {
  /** @param response undefined when it is dead, which leaves the peer unknown */
  connectionOf(response: UwsResponse | undefined): ConnectionInfo;
  readonly scheme: 'http' | 'https';
}

/** An exchange over uWebSockets.js. The native response object is let go the moment it dies: any use after that throws. */
export class UwsExchange implements EngineExchange, CorkTask {
  readonly engine: UwsEngineCore;
  readonly head: UwsRequestHead;
  readonly body: RequestBody;
  /** This engine lets nobody have the bytes of a connection. */
  readonly upgradeRequest = undefined;
  context: RequestContext | undefined = undefined;
  aborted = false;
  responded = false;
  status = 0;
  bytesSent = 0;
  onAborted: (() => void) | undefined = undefined;
  onDrain: (() => void) | undefined = undefined;

  /** Within uWebSockets.js's request callback: the socket is corked, and `finished` waits for the callback's end. */
  corked = false;
  /** The handler has been called. */
  started = false;
  /** The exchange has ended, one way or the other. */
  over = false;
  /** The connection must end behind the response, as the bytes that follow on it cannot be trusted or are not wanted. */
  mustClose = false;
  /** The client was once slower than the response. */
  pressured = false;
  readonly #listener: UwsConnectionSource;
  #connection: ConnectionInfo | undefined;
  #response: UwsResponse | undefined;
  #stream: UwsBodyStream | undefined;
  /** What a WebSocket is made with; undefined for requests that are for none. */
  readonly #upgrade: UwsWebSocketContext | undefined;
  #webSocket: UwsWebSocketPeer | undefined;
  /** What `writeCorked` sends. */
  #sendHead: ResponseHead | undefined;
  #sendBody: Uint8Array | undefined;
  #sendLength: number | undefined;
  #known: Uint8Array | undefined;
  /** Whether the socket has taken it whole. */
  #knownSent = false;

  constructor(
    engine: UwsEngineCore,
    response: UwsResponse,
    head: UwsRequestHead,
    listener: UwsConnectionSource,
    upgrade?: UwsWebSocketContext,
  ) {
    this.#upgrade = upgrade;
    this.engine = engine;
    this.#response = response;
    this.head = head;
    this.#listener = listener;
    const length = head.bodyLength;
    this.body = length === 0 ? engine.emptyBody : new IncomingBody(this, response, length);
  }

  /** Whether the connection should end behind the response; `mustClose` is the stronger wish. */
  get closing(): boolean {
    return this.mustClose || this.head.close || this.engine.draining || this.head.bodyLength === undefined;
  }

  /** Whether the native response object is dead although the writer has not ended the response yet. */
  get nativelyComplete(): boolean {
    return this.#webSocket !== undefined || (this.#stream?.complete ?? false);
  }

  get webSocketRequest(): WebSocketRequest | undefined {
    return this.#upgrade === undefined ? undefined : this.head.webSocketRequest;
  }

  get isSecure(): boolean {
    return this.#listener.scheme === 'https';
  }

  get connection(): ConnectionInfo {
    return (this.#connection ??= this.#listener.connectionOf(this.#response));
  }

  respond(head: ResponseHead, body: Uint8Array): void {
    const response = this.#begin(head);
    if (response === undefined) return;
    if (!this.#takesBody(head.status)) {
      this.#sendWithoutBody(response, head, head.status === 304 || head.status === 204 ? undefined : body.length);
    } else if (this.mustClose || body.length + head.block.length <= singleShotBytes) {
      this.#sendWhole(response, head, body);
      this.bytesSent = body.length;
      this.complete();
    } else {
      this.#sendKnown(response, head, body);
      this.end();
    }
  }

  respondHead(head: ResponseHead, length: number | undefined): void {
    const response = this.#begin(head);
    if (response !== undefined) this.#sendWithoutBody(response, head, head.status === 204 ? undefined : length);
  }

  stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    const response = this.#begin(head);
    if (response === undefined) return true;
    if (!this.#takesBody(head.status)) {
      this.#sendWithoutBody(response, head, head.status === 204 ? undefined : length);
      return true;
    }
    if (chunk !== undefined && chunk.length === length) return this.#sendKnown(response, head, chunk);
    this.#stream =
      length === undefined
        ? new UwsChunkedStream(this, response, head)
        : new UwsKnownLengthStream(this, response, head, length);
    return chunk === undefined || this.#stream.write(chunk);
  }

  write(chunk: Uint8Array): boolean {
    if (this.over) return true;
    if (this.#stream === undefined) throw new Error('write before stream');
    if (this.#stream.waiting) throw new Error('write before onDrain');
    return this.#stream.write(chunk);
  }

  copyHeld(): void {
    this.#stream?.copyHeld();
  }

  end(): void {
    if (this.over) return;
    if (this.#stream === undefined) throw new Error('end before stream');
    this.#stream.end();
  }

  acceptWebSocket(head: ResponseHead, protocol: string, sink: WebSocketSink): WebSocketPeer | undefined {
    const upgrade = this.#upgrade;
    if (upgrade === undefined) throw new Error('the request is for no WebSocket');
    const response = this.#begin(head);
    if (response === undefined) return undefined;
    const peer = new UwsWebSocketPeer(this, sink);
    const data: UwsWebSocketData = { peer };
    const key = this.head.fields.get('sec-websocket-key') ?? '';
    this.#webSocket = peer;
    // Dead from here on; aborts are told by the WebSocket's end.
    this.#response = undefined;
    const send = (): void => {
      response.writeStatus(head.block);
      response.upgrade(data, key, protocol, '', upgrade);
    };
    const { upgradeAnchor } = this.engine;
    if (this.corked || upgradeAnchor === undefined) response.cork(send);
    else upgradeAnchor.run(response, send);
    this.engine.upgraded(this, peer);
    return peer;
  }

  /** Never called: there is no `upgradeRequest`. */
  acceptUpgrade(): undefined {
    return undefined;
  }

  abort(): void {
    if (this.over) return;
    if (this.#webSocket !== undefined) {
      this.#webSocket.terminate();
      return;
    }
    if (this.nativelyComplete) {
      this.complete();
      return;
    }
    // The request may lie in the connection's own memory.
    this.head.keep();
    // Calls the callback for aborts from within, where one is registered already.
    this.#response?.close();
    this.clientGone();
  }

  /** The connection has ended before the response was complete. */
  clientGone(): void {
    if (this.over || this.#webSocket !== undefined) return;
    this.aborted = true;
    this.#release();
    this.guard(this.onAborted);
    this.#finish();
  }

  handleNow(): void {
    this.engine.handle(this);
  }

  /** The response is complete, and the native object dead. */
  complete(): void {
    if (this.over) return;
    this.#release();
    this.#finish();
  }

  /** For a chunked stream: ends it, or the whole response when nothing of it was sent yet. */
  endWithoutMore(head: ResponseHead | undefined): void {
    const response = this.#response;
    if (response === undefined) return;
    this.#sendHead = head;
    this.#sendBody = undefined;
    this.#runCorked(response);
    this.complete();
  }

  /** Runs a step that a defect may make throw: then the client gets 500, or is cut off when it has got something already. */
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

  writeCorked(): void {
    const response = this.#response;
    if (response === undefined) return;
    const head = this.#sendHead;
    if (head !== undefined) response.writeStatus(head.block);
    if (this.#known !== undefined) {
      if (this.closing) response.writeHeader('Connection', 'close');
      this.#knownSent = response.tryEnd(this.#known, this.#known.length)[1];
    } else if (this.#sendBody !== undefined) {
      response.end(this.#sendBody, this.closing);
    } else if (this.#stream !== undefined) {
      response.end();
    } else {
      if (this.#sendLength !== undefined) response.writeHeader('Content-Length', String(this.#sendLength));
      if (this.closing) response.writeHeader('Connection', 'close');
      response.endWithoutBody();
    }
  }

  /** @returns the response to write to, unless the client has gone */
  #begin(head: ResponseHead): UwsResponse | undefined {
    if (this.over) return undefined;
    if (this.responded) throw new Error('the request was answered already');
    this.responded = true;
    this.status = head.status;
    if (this.body instanceof IncomingBody) {
      if (!this.body.complete) this.mustClose = true;
      this.body.respond();
    }
    return this.#response;
  }

  #takesBody(status: number): boolean {
    return this.head.method !== 'HEAD' && status !== 304 && status !== 204;
  }

  #sendWithoutBody(response: UwsResponse, head: ResponseHead, length: number | undefined): void {
    // Only a body, if an empty one, can end the connection; with HEAD it is allowed to say that there would be none.
    if (this.mustClose && this.head.method === 'HEAD') {
      this.#sendWhole(response, head, nothing);
    } else {
      this.#sendHead = head;
      this.#sendLength = length;
      this.#runCorked(response);
    }
    this.complete();
  }

  #sendWhole(response: UwsResponse, head: ResponseHead, body: Uint8Array): void {
    this.#sendHead = head;
    this.#sendBody = body;
    this.#runCorked(response);
  }

  /**
   * Sends a body that is here whole: most sockets take it at once, and nothing need be kept then.
   * @returns as `write`
   */
  #sendKnown(response: UwsResponse, head: ResponseHead, body: Uint8Array): boolean {
    if (body.length === 0 || this.isSecure) {
      this.#stream = new UwsKnownLengthStream(this, response, head, body.length);
      return this.#stream.write(body);
    }
    this.#sendHead = head;
    this.#known = body;
    this.#runCorked(response);
    this.#known = undefined;
    if (this.#knownSent) {
      this.bytesSent = body.length;
      this.complete();
      return true;
    }
    const stream = new UwsKnownLengthStream(this, response, head, body.length);
    this.#stream = stream;
    stream.takeOver(body);
    return false;
  }

  #runCorked(response: UwsResponse): void {
    if (this.corked) this.writeCorked();
    else this.engine.cork.run(response, this);
  }

  #release(): void {
    this.over = true;
    this.#response = undefined;
    this.#sendBody = undefined;
    this.#stream?.release();
    if (this.body instanceof IncomingBody) this.body.discard();
  }

  #finish(): void {
    if (this.pressured) this.engine.pressureEnded();
    // Within the request callback the handler is still at work; the engine finishes when it has returned.
    if (this.started && !this.corked) this.engine.finish(this);
  }
}
