import type { RequestContext } from '../request/request-context.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { TunnelPeer, TunnelSink, UpgradeRequest } from './tunnel.ts';
import type { WebSocketPeer, WebSocketRequest, WebSocketSink } from './websocket.ts';

/**
 * One request and its response, as every step behind the listener sees it. An engine (uWebSockets.js today) makes
 * exchanges; nothing behind it knows which engine that was.
 *
 * The life of an exchange: `ExchangeHandler.handle` is called once; somebody responds, or aborts, or the client goes
 * away; `ExchangeHandler.finished` is called once, last, and always. Between those two calls every method may be used at
 * any time, also after the client has gone: then it does nothing.
 */
export interface Exchange {
  readonly head: RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: RequestBody;
  /** What the client asks for when it wants a WebSocket, checked whole; undefined for every other request. */
  readonly webSocketRequest: WebSocketRequest | undefined;
  /** What the client asks for when it wants to go on with another protocol on the same connection; undefined where that cannot be. */
  readonly upgradeRequest: UpgradeRequest | undefined;

  /** Set by the pipeline before anything else; carries what the steps learn about the request. */
  context: RequestContext | undefined;

  /** True once the client has gone or `abort` was called. Nothing can be sent any more. */
  readonly aborted: boolean;
  /** True once a response head was given to `respond`, `respondHead` or `stream`. */
  readonly responded: boolean;
  /** The status given to the response, 0 before. */
  readonly status: number;
  /** Bytes of response body handed to the connection so far. */
  readonly bytesSent: number;

  /** Called once when the client goes away, or `abort` is called, before the response is complete. One slot. */
  onAborted: (() => void) | undefined;
  /** Called after a `stream` or `write` that returned false, when the next `write` may come. One slot. */
  onDrain: (() => void) | undefined;

  /**
   * Answers whole. The engine adds Date and Content-Length, and leaves the body out for HEAD, 204 and 304.
   * `body` is not read after the exchange has finished, and must not be changed before.
   */
  respond(head: ResponseHead, body: Uint8Array): void;

  /**
   * Answers without a body whose length is known anyway: HEAD and 304.
   * @param length what Content-Length says; undefined leaves the field out.
   */
  respondHead(head: ResponseHead, length: number | undefined): void;

  /**
   * Starts a response whose body follows by `write` and `end`.
   * @param length bytes of body to come, or undefined when unknown (chunked in HTTP/1.1)
   * @param chunk  the first of them if it is there already; it saves a system call
   * @returns as `write`
   */
  stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean;

  /**
   * @returns true when the chunk is taken over and its memory free to reuse; false when the caller must neither write
   * again nor touch the chunk's memory before `onDrain`. Writing more than the announced length throws.
   */
  write(chunk: Uint8Array): boolean;

  /** After a `stream` or `write` that returned false: copies what it holds of the chunk, whose memory is free to reuse then. */
  copyHeld(): void;

  /** Ends a streamed response. With a known length that was not reached it aborts instead: never a short body. */
  end(): void;

  /**
   * Answers a `webSocketRequest` with 101; the exchange has finished when the WebSocket has ended. `bytesSent` counts the
   * messages from then on. A request whose WebSocket nobody wants is answered like any other instead.
   * @param head     status 101 and the fields besides those of the handshake
   * @param protocol the subprotocol, one of those offered; '' for none
   * @returns undefined when the client has gone; the sink is told nothing then
   */
  acceptWebSocket(head: ResponseHead, protocol: string, sink: WebSocketSink): WebSocketPeer | undefined;

  /**
   * Answers an `upgradeRequest` with 101 once its body was read whole: from then on bytes pass as they are. The exchange has
   * finished when the connection has ended; `bytesSent` counts what the client was sent from then on.
   * @param head status 101, and among the fields Upgrade, which says what the connection speaks now
   * @returns the client's end, which gives nothing before `resume`; undefined when the client has gone: the sink is told nothing then
   */
  acceptUpgrade(head: ResponseHead, sink: TunnelSink): TunnelPeer | undefined;

  /** Cuts the connection, so that the client cannot take what it got for complete. Idempotent. */
  abort(): void;
}

/** What an engine knows about the peer and the listener that it came through. */
export interface ConnectionInfo {
  /** The peer's address; IPv4 peers of a dual-stack socket in dotted form; '' for a Unix socket. */
  readonly remoteAddress: string;
  /** 0 when the engine cannot tell, as it may once the response is complete. */
  readonly remotePort: number;
  /** The address that the client connected to; left out when the engine cannot tell. */
  readonly localAddress?: string;
  /** Port of the listener. */
  readonly localPort: number;
  readonly scheme: 'http' | 'https';
  /** The listener's configured address, as in `listen[].address`. */
  readonly listener: string;
  /** Lines about the client's certificate for the application, each with its CR LF; '' or left out for none. */
  readonly clientFields?: string;
}

/** The request's body. Reading starts with `read`; before it, the engine holds at most one bounded piece back. */
export interface RequestBody {
  /** Content-Length; 0 when there is no body; undefined when it comes chunked. */
  readonly declaredLength: number | undefined;
  /** Bytes of body received so far. */
  readonly received: number;
  /** Most bytes that may come; beyond it `BodySink.failed` gets `body_too_large`. The pipeline sets the route's. */
  limit: number;
  /** Starts reading. Once an exchange. The sink's calls never come from within this call when the body is not empty. */
  read(sink: BodySink): void;
  /**
   * In place of `read`: the body, where it is small, has a length, and all of it came together with the head. It is a chunk
   * as `BodySink.data` gives it. To be called within `ExchangeHandler.handle`.
   * @returns undefined for every other body, which is to be read
   */
  takeWhole?(): Buffer | undefined;
  /** Takes back the memory of a chunk that `BodySink.data` gave, for reuse. Optional; nobody may touch the chunk afterwards. */
  release(chunk: Buffer): void;
  /** Stops the flow soon (what was read already still comes). Never needed to bound memory: see `BodySink.data`. */
  pause(): void;
  resume(): void;
}

/** Who receives a request body. */
export interface BodySink {
  /** The chunk is a copy and belongs to the receiver, who may give it back by `RequestBody.release`. */
  data(chunk: Buffer): void;
  /** In place of `data`, where there is such a method: the chunk's memory is the engine's, and gone after the call. */
  lend?(chunk: Buffer): void;
  /** The body is complete. Last call. */
  end(): void;
  /** Too large or too slow. Last call. A client that goes away is told by `Exchange.onAborted` instead. */
  failed(error: PorticoError): void;
}

/** Why a client is cut. */
export type CutReason =
  /** The head of a request did not come in time. */
  | 'head_timeout'
  /** It took nothing of a response for too long. */
  | 'send_timeout'
  /** It took a response too slowly. */
  | 'send_rate'
  /** Its request was not answered in time. */
  | 'request_time'
  /** It did too much that costs work and brings nobody anything (HTTP/2). */
  | 'http2_flood'
  /** It broke the protocol in a way that ends the connection (HTTP/2). */
  | 'http2_error';

/** Decides on connections before anything is read from them. */
export interface ConnectionKeeper {
  /** Whether `admit` looks at the address of connections whose end is told without it. */
  readonly wantsAddress: boolean;
  /**
   * @param tellsEnd whether `ended` will be told the address, too
   * @returns false to close the connection at once; `ended` is not called for it then
   */
  admit(address: string, tellsEnd: boolean): boolean;
  /** A connection that was let in is cut, or a stream of it, for what its client did or left out. */
  cut?(reason: CutReason): void;
  /** A connection that was let in is over. @param address as given to `admit`; undefined where the engine does not know */
  ended(address: string | undefined): void;
}

/** What an engine calls. No throw out of `handle` may end a worker: the engine answers 500, or aborts. */
export interface ExchangeHandler {
  /**
   * Called before `handle` for requests that an engine can hand over before it has read and checked their fields. What can
   * be answered from the request line, the host and `RequestHead.peek` alone is answered here, within the call; whatever
   * else is said about the request was not looked at, so nothing of it may be passed on to anybody.
   * @returns false when it was not answered: the request is read whole then, and given to `handle` or `refuse`
   */
  glance?(exchange: Exchange): boolean;
  /** Who decides on connections; all come in where it is left out. */
  readonly connections?: ConnectionKeeper | undefined;
  handle(exchange: Exchange): void;
  /** A request that the engine refuses: the handler only answers (and logs) it. Calls `respond`, never `body.read`. */
  refuse(exchange: Exchange, error: PorticoError): void;
  /** A WebSocket or a tunnel is open: what follows is no request any more. */
  upgraded?(exchange: Exchange): void;
  finished(exchange: Exchange): void;
}
