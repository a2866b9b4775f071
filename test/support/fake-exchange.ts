import { HeaderFields } from '../../src/http/header-fields.ts';
import type { BodySink, ConnectionInfo, Exchange, RequestBody } from '../../src/listener/exchange.ts';
import type { TunnelPeer, TunnelSink, UpgradeRequest } from '../../src/listener/tunnel.ts';
import type { WebSocketPeer, WebSocketRequest, WebSocketSink } from '../../src/listener/websocket.ts';
import { RequestContext } from '../../src/request/request-context.ts';
import type { RequestHead } from '../../src/request/request-head.ts';
import { PorticoError } from '../../src/response/portico-error.ts';
import type { ResponseHead } from '../../src/response/response-head.ts';

/** What a test says about a request; everything has a default. */
export interface FakeRequest {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  /** Names in any case; a list of values makes several fields. */
  readonly fields?: Readonly<Record<string, string | readonly string[]>>;
  readonly connection?: Partial<ConnectionInfo>;
  /** The request body, delivered after `body.read`. More can come by `body.push`. */
  readonly body?: string | Uint8Array;
  /** Whether the body comes chunked, so that its length is not declared. */
  readonly chunked?: boolean;
  /** What the client asks for when it wants a WebSocket. */
  readonly webSocket?: WebSocketRequest;
  /** What the client would go on with. */
  readonly upgrade?: UpgradeRequest;
}

/**
 * An exchange without a network: records what the code under test answers and misbehaves on demand (`stall`, `drain`,
 * `disconnect`). It is strict where engines may be: writing while stalled, responding twice and writing too much throw.
 * A chunk that a stalled connection holds is copied only when it drains, so memory reused too early shows as wrong bytes.
 */
export class FakeExchange implements Exchange {
  readonly head: RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: FakeRequestBody;
  readonly webSocketRequest: WebSocketRequest | undefined;
  readonly upgradeRequest: UpgradeRequest | undefined;
  context: RequestContext | undefined;
  aborted = false;
  responded = false;
  status = 0;
  bytesSent = 0;
  onAborted: (() => void) | undefined;
  onDrain: (() => void) | undefined;

  /** Whether the response is complete. */
  complete = false;
  /** Content-Length as it would be sent; undefined for a chunked response or when left out. */
  length: number | undefined;
  /** Whether the response came by `stream`. */
  streamed = false;
  /** Sizes of the chunks given to `stream` and `write`. */
  readonly chunkSizes: number[] = [];
  /** Resolves when the response is complete or cut. */
  readonly finished: Promise<void>;

  #capacity = Number.POSITIVE_INFINITY;
  #held: Uint8Array | undefined;
  #block = Buffer.alloc(0);
  readonly #sent: Buffer[] = [];
  #finish: () => void = () => {};

  constructor(request: FakeRequest = {}) {
    const { method = 'GET', target = '/', host = 'example.com' } = request;
    const question = target.indexOf('?');
    const fields = headerFields(host, request.fields ?? {});
    this.head = {
      method,
      target,
      rawPath: question < 0 ? target : target.slice(0, question),
      query: question < 0 ? undefined : target.slice(question + 1),
      host,
      fields,
      peek: (name) => fields.peek(name),
    };
    this.connection = {
      remoteAddress: '192.0.2.1',
      remotePort: 50_000,
      localPort: 8080,
      scheme: 'http',
      listener: '0.0.0.0:8080',
      ...request.connection,
    };
    this.body = new FakeRequestBody(request.body, request.chunked ?? false);
    this.webSocketRequest = request.webSocket;
    this.upgradeRequest = request.upgrade;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** A context as the pipeline makes it; the path is the target's, percent-decoded. */
  withContext(path?: string): RequestContext {
    const context = new RequestContext(this, performance.now());
    context.path = path ?? decodeURIComponent(this.head.rawPath);
    this.context = context;
    return context;
  }

  // --- what the code under test calls ---

  respond(head: ResponseHead, body: Uint8Array): void {
    if (!this.#begin(head)) return;
    this.length = body.length;
    if (!this.#bodiless()) this.#take(body);
    this.#completed();
  }

  respondHead(head: ResponseHead, length: number | undefined): void {
    if (!this.#begin(head)) return;
    this.length = length;
    this.#completed();
  }

  stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    if (!this.#begin(head)) return false;
    this.length = length;
    this.streamed = true;
    if (this.#bodiless()) {
      this.#completed();
      return true;
    }
    return chunk === undefined ? true : this.write(chunk);
  }

  write(chunk: Uint8Array): boolean {
    if (this.aborted || this.complete) return true;
    if (!this.streamed) throw new Error('write before stream');
    if (this.#held !== undefined) throw new Error('write before onDrain');
    if (this.length !== undefined && this.bytesSent + chunk.length > this.length) throw new Error('body too long');
    this.chunkSizes.push(chunk.length);
    if (chunk.length <= this.#capacity) {
      this.#take(chunk);
      this.#completeWhenWhole();
      return true;
    }
    this.#held = chunk;
    return false;
  }

  copyHeld(): void {
    if (this.#held !== undefined) this.#held = Buffer.from(this.#held);
  }

  end(): void {
    if (this.aborted || this.complete) return;
    if (!this.streamed) throw new Error('end before stream');
    if (this.#held !== undefined) throw new Error('end before onDrain');
    if (this.length !== undefined && this.bytesSent < this.length) this.abort();
    else this.#completed();
  }

  /** For a test to set: takes the sink, gives the client's end. */
  onUpgrade: ((sink: TunnelSink) => TunnelPeer) | undefined;
  onWebSocket: ((sink: WebSocketSink, protocol: string) => WebSocketPeer) | undefined;

  acceptWebSocket(head: ResponseHead, protocol: string, sink: WebSocketSink): WebSocketPeer | undefined {
    if (this.webSocketRequest === undefined) throw new Error('not a WebSocket request');
    if (!this.#begin(head)) return undefined;
    return this.onWebSocket?.(sink, protocol);
  }

  acceptUpgrade(head: ResponseHead, sink: TunnelSink): TunnelPeer | undefined {
    if (this.upgradeRequest === undefined) throw new Error('not a request for another protocol');
    if (!this.#begin(head)) return undefined;
    return this.onUpgrade?.(sink);
  }

  abort(): void {
    this.#cut();
  }

  // --- what a test does to it ---

  /** From now on the connection takes that many bytes of body, then holds what comes. */
  stall(capacity = 0): void {
    this.#capacity = capacity;
  }

  /** The client takes that many bytes more; calls `onDrain` when the held chunk is gone. */
  drain(bytes = Number.POSITIVE_INFINITY): void {
    this.#capacity += bytes;
    const held = this.#held;
    if (held === undefined || this.aborted) return;
    if (held.length > this.#capacity) return;
    this.#held = undefined;
    this.#take(held);
    this.onDrain?.();
    this.#completeWhenWhole();
  }

  /** The client goes away. */
  disconnect(): void {
    this.#cut();
  }

  /** Whether a chunk waits for `drain`. */
  get stalled(): boolean {
    return this.#held !== undefined;
  }

  /** The response body so far. */
  get responseBody(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** Status line and fields, serialised as given, without what an engine adds. */
  get responseBlock(): string {
    return this.#block.toString('latin1');
  }

  /** The fields of the response; names in lower case. */
  get responseFields(): HeaderFields {
    const fields = new HeaderFields();
    for (const line of this.responseBlock.split('\r\n').slice(1)) {
      const colon = line.indexOf(':');
      fields.append(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    return fields;
  }

  #begin(head: ResponseHead): boolean {
    if (this.aborted) return false;
    if (this.responded) throw new Error('responded twice');
    this.responded = true;
    this.status = head.status;
    // Copied: the engine has read it when the call returns.
    this.#block = Buffer.from(head.block);
    if (!this.responseBlock.startsWith(`${head.status} `)) throw new Error(`bad head: ${this.responseBlock}`);
    return true;
  }

  #bodiless(): boolean {
    return this.head.method === 'HEAD' || this.status === 204 || this.status === 304;
  }

  #take(chunk: Uint8Array): void {
    this.#sent.push(Buffer.from(chunk));
    this.bytesSent += chunk.length;
    this.#capacity -= chunk.length;
  }

  #completeWhenWhole(): void {
    if (this.length !== undefined && this.bytesSent === this.length) this.#completed();
  }

  #completed(): void {
    if (this.complete || this.aborted) return;
    this.complete = true;
    this.#finish();
  }

  #cut(): void {
    if (this.aborted || this.complete) return;
    this.aborted = true;
    this.#held = undefined;
    this.onAborted?.();
    this.#finish();
  }
}

/** A request body that a test pushes by hand. */
export class FakeRequestBody implements RequestBody {
  readonly declaredLength: number | undefined;
  received = 0;
  limit = Number.POSITIVE_INFINITY;
  paused = false;
  /** What comes is delivered all the same, as engines do that read on. */
  ignorePause = false;
  #sink: BodySink | undefined;
  readonly #waiting: Buffer[] = [];
  #ended = false;
  #over = false;

  constructor(body: string | Uint8Array | undefined, chunked: boolean) {
    const bytes = Buffer.from(body ?? '');
    this.declaredLength = chunked ? undefined : bytes.length;
    if (bytes.length > 0) this.#waiting.push(bytes);
    this.#ended = true;
  }

  read(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error('body read twice');
    this.#sink = sink;
    if (this.#ended && this.#waiting.length === 0) this.#flush();
    else setImmediate(() => this.#flush());
  }

  /** Spoils the chunk: whoever reads it later shows. */
  release(chunk: Buffer): void {
    chunk.fill(0xee);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#flush();
  }

  /** Keeps the body open after what it was made with: the test ends it by `finish`. */
  hold(): void {
    this.#ended = false;
  }

  push(chunk: string | Uint8Array): void {
    this.#waiting.push(Buffer.from(chunk));
    this.#flush();
  }

  finish(): void {
    this.#ended = true;
    this.#flush();
  }

  /** Fails the body as a listener does. */
  fail(error: PorticoError): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink?.failed(error);
  }

  #flush(): void {
    while (this.#sink !== undefined && (!this.paused || this.ignorePause) && !this.#over) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.received += chunk.length;
      if (this.received > this.limit) this.fail(new PorticoError('body_too_large', 'over the limit'));
      else this.#sink.data(chunk);
    }
    if (this.#sink === undefined || !this.#ended || this.#over || this.#waiting.length > 0) return;
    this.#over = true;
    this.#sink.end();
  }
}

function headerFields(host: string, fields: NonNullable<FakeRequest['fields']>): HeaderFields {
  const result = new HeaderFields(['host', host]);
  for (const [name, value] of Object.entries(fields)) {
    for (const one of typeof value === 'string' ? [value] : value) result.append(name.toLowerCase(), one);
  }
  return result;
}
