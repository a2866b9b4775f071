import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { BodyWriter, type ByteSink } from './body-writer.ts';
import type { EngineExchange } from './engine-core.ts';
import type { ConnectionInfo, RequestBody } from './exchange.ts';
import type { Http2RequestHead } from './http2-request-head.ts';
import { responseFields } from './http2-response-fields.ts';
import { IncomingBody } from './incoming-body.ts';
import type { NodeEngineCore } from './node-engine-core.ts';
import type { Stallable } from './stall-watch.ts';
import type { WebSocketPeer } from './websocket.ts';

/** Up to this size a body goes out in one frame, together with the end of the stream. */
const singleFrameBytes = 16 * 1024;

/** An exchange over one stream of an HTTP/2 connection. */
export class Http2Exchange implements EngineExchange, Stallable {
  readonly engine: NodeEngineCore;
  readonly head: Http2RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: RequestBody;
  readonly webSocketRequest = undefined;
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
  readonly #stream: ServerHttp2Stream;
  #writer: BodyWriter | undefined;
  #sent = 0;
  #writing = 0;
  #progressAt = 0;

  constructor(engine: NodeEngineCore, stream: ServerHttp2Stream, head: Http2RequestHead, connection: ConnectionInfo) {
    this.engine = engine;
    this.#stream = stream;
    this.head = head;
    this.connection = connection;
    this.body =
      head.bodyLength === 0 || head.refusal !== undefined ? engine.emptyBody : this.#readBody(head.bodyLength);
    stream.on('error', ignore);
    stream.on('close', this.#onClose);
    engine.watch.add(this);
  }

  get bytesSent(): number {
    return this.#writer?.sent ?? this.#sent;
  }

  respond(head: ResponseHead, body: Uint8Array): void {
    if (!this.#begin(head)) return;
    if (!this.#takesBody(head.status)) {
      const hasLength = head.status !== 304 && head.status !== 204;
      return this.#sendWithoutBody(head, hasLength ? body.length : undefined);
    }
    if (body.length <= singleFrameBytes) {
      this.#sent = body.length;
      this.#stream.respond(this.#fields(head, body.length));
      // A copy, because it may wait for the client's window when the exchange is over.
      this.#stream.end(Buffer.from(body));
      this.#ended();
      return;
    }
    this.#writer = this.#startBody(head, body.length, true);
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
    this.#writer = this.#startBody(head, length, false);
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

  acceptWebSocket(): WebSocketPeer | undefined {
    throw new Error('the request is for no WebSocket');
  }

  abort(): void {
    if (this.over) return;
    this.#stream.close(this.responded ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_CANCEL);
    this.clientGone();
  }

  clientGone(): void {
    if (this.over) return;
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

  checkStall(now: number): void {
    if (this.#writing > 0 && now - this.#progressAt > this.engine.timeouts.sendMs) this.abort();
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

  /** What the writer writes to. */
  readonly #sink: ByteSink = {
    write: (bytes) => {
      if (this.over || this.#stream.destroyed) return true;
      if (this.#writing === 0) this.#progressAt = performance.now();
      this.#writing += 1;
      this.#stream.write(bytes, this.#onWritten);
      return this.#stream.writableLength === 0 && this.#stream.errored === null;
    },
  };

  readonly #onWritten = (error?: Error | null): void => {
    this.#writing -= 1;
    if (error) return;
    this.#progressAt = performance.now();
    if (this.#writing > 0 || this.over) return;
    const state = this.#writer?.flushed();
    if (state === 'complete') this.#ended();
    else if (state === 'ready') this.guard(this.onDrain);
  };

  readonly #onClose = (): void => {
    this.clientGone();
  };

  #readBody(length: number | undefined): IncomingBody {
    const stream = this.#stream;
    const source = {
      pause: () => void stream.pause(),
      resume: () => void stream.resume(),
      begin: () => {
        if (this.head.expectsContinue && !this.responded && body.received === 0)
          stream.additionalHeaders({ ':status': 100 });
      },
    };
    const body = new IncomingBody(this, source, length);
    stream.on('data', (chunk: Buffer) => this.guard(() => body.receive(chunk, false)));
    stream.on('end', () => this.guard(() => body.receive(Buffer.alloc(0), true)));
    return body;
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
    this.#stream.respond(this.#fields(head, length), { endStream: true });
    this.#ended();
  }

  #startBody(head: ResponseHead, length: number | undefined, shared: boolean): BodyWriter {
    this.#stream.respond(this.#fields(head, length));
    return new BodyWriter(this.#sink, undefined, length, false, shared);
  }

  #fields(head: ResponseHead, length: number | undefined): OutgoingHttpHeaders {
    const fields = responseFields(head);
    if (length !== undefined) fields['content-length'] = length;
    return fields;
  }

  #endBody(writer: BodyWriter): void {
    const state = writer.end();
    if (state === 'complete') {
      this.#ended();
    } else if (state === 'short') this.abort();
  }

  /** The response is complete: ends the stream, and tells the client to send no more of a body that nobody reads. */
  #ended(): void {
    if (!this.#stream.writableEnded) this.#stream.end();
    // RFC 9113 section 8.1: a complete response may come before the whole request.
    if (this.mustClose) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    this.complete();
  }

  #release(): void {
    this.over = true;
    this.engine.watch.delete(this);
    if (this.body instanceof IncomingBody) this.body.discard();
  }

  #finish(): void {
    if (this.started && !this.handling) this.engine.finish(this);
  }
}

function ignore(): void {
  // `close` follows, with the code.
}
