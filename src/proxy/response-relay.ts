import { performance } from 'node:perf_hooks';
import type { RequestContext, UpstreamTrace } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import { ResponseHead } from '../response/response-head.ts';
import type { Connection } from '../upstream/connection.ts';
import type { HeadBlock } from '../upstream/head-block.ts';
import { ParserEvent, type ResponseParser } from '../upstream/response-parser.ts';
import { BufferedResponse } from './buffered-response.ts';
import { directive } from './directives.ts';
import { DiscardSink } from './discard-sink.ts';
import type { ProxyRoute } from './proxy-route.ts';
import type { InterceptedResponse, Takeover } from './response-interceptor.ts';
import type { ResponseSink } from './response-sink.ts';

const nothing = Buffer.alloc(0);
/** A body up to this size that is here whole is answered whole: the listener takes it at once, or copies it. */
const wholeBodyBytes = 8192;
/** What stands before the id of the request in a response that has none of its own. */
const requestIdPrefix = Buffer.from('\r\nX-Request-Id: ', 'latin1');
/** Body of a response that something else answers in the place of: beyond it the connection is closed instead. */
const droppedBytesBound = 65_536;
/** Milliseconds that the end of such a body is waited for: who asked shall not wait for what nobody wants. */
const dropMs = 1000;

/** Whose response it is. */
export interface ResponseOwner {
  readonly context: RequestContext;
  readonly trace: UpstreamTrace;
  /** `performance.now()` when the request was sent. */
  readonly sentAt: number;
  /**
   * A head was read and nothing of it passed on.
   * @returns false when the owner does not want this response: it has let go of the connection, or failed
   */
  headReceived(status: number): boolean;
  /**
   * The server speaks another protocol from now on; the connection is the owner's.
   * @param head its memory is used for the next one soon
   * @returns whether to read on
   */
  switched(head: ResponseHead): boolean;
  /** The client's readiness, or what is awaited from the server, has changed. */
  progressed(now: number): void;
  /** The response was taken whole. */
  responseComplete(now: number): void;
  responseFailed(error: PorticoError): void;
}

/** The response half of a proxied request: passes on what the parser finds, head first, as far as the client takes it. */
export class ResponseRelay implements InterceptedResponse {
  /** Where the response goes. */
  sink: ResponseSink;
  /** The head of the response was read, and accepted. */
  headRead = false;
  /** The client does not take more for now. */
  paused = false;
  /** What answers in the place of this response. */
  takeover: Takeover | undefined;
  /** `performance.now()` up to which the body that something else answers for is waited for. */
  dropUntil = Number.POSITIVE_INFINITY;
  /** Whether a client that falls behind gets a buffer. */
  private buffered = false;
  private readonly owner: ResponseOwner;
  private readonly route: ProxyRoute;
  private connection: Connection | undefined;
  /** A head that was read and not passed on yet: it goes together with the first piece of body. */
  private pending: ResponseHead | undefined;
  /** Whether the response was given to the sink whole. */
  private answered = false;
  private done = false;
  private droppedBytes = 0;
  originBytes = 0;
  /** `performance.now()` when the present bytes were read: asking for it at each step costs as much as the step. */
  private now = 0;
  /** The connection ended while the client took nothing; what was read before is passed on first. */
  private lostWhilePaused: { readonly error: Error | undefined } | undefined;

  constructor(owner: ResponseOwner, route: ProxyRoute, sink: ResponseSink) {
    this.owner = owner;
    this.route = route;
    this.sink = sink;
  }

  get status(): number {
    return this.connection?.parser.status ?? 0;
  }

  get contentLength(): number | undefined {
    return this.connection?.parser.contentLength;
  }

  get bodiless(): boolean {
    return this.connection?.parser.bodiless ?? false;
  }

  get directives(): readonly string[] | undefined {
    return this.connection?.parser.directives;
  }

  get block(): HeadBlock {
    return this.route.upstream.block;
  }

  /** Awaits a response on a connection. */
  begin(connection: Connection): void {
    this.connection = connection;
  }

  /** Nothing is passed on any more. */
  stop(): void {
    this.done = true;
    this.sink.onDrain = undefined;
  }

  /** The client has gone: the rest is read all the same, and dropped. */
  discard(): void {
    this.sink.onDrain = undefined;
    this.sink = new DiscardSink();
    if (this.connection !== undefined) this.goOn(this.connection);
  }

  /** Passes on what was read. @returns false when the client does not take more for now */
  passOn(): boolean {
    const { connection } = this;
    if (connection === undefined) return false;
    const { parser } = connection;
    this.now = performance.now();
    for (;;) {
      switch (parser.next()) {
        case ParserEvent.head:
          if (!this.takeHead(parser)) return false;
          break;
        case ParserEvent.data:
          if (this.takeover !== undefined) this.drop(parser);
          else if (!this.passData(parser) && !this.buffer()) return this.pause(connection);
          break;
        case ParserEvent.end:
          this.owner.responseComplete(this.now);
          return true;
        case ParserEvent.switched:
          return this.switchOver(parser);
        case ParserEvent.failed:
          this.owner.responseFailed(new PorticoError('upstream_protocol', parser.fault));
          return false;
        default:
          this.awaitMore(parser);
          return true;
      }
      if (this.done) return false;
    }
  }

  /**
   * The connection has ended.
   * @returns an error when nothing of a response was passed on, so that another try may be worth it
   */
  lost(error: Error | undefined): PorticoError | undefined {
    const { connection } = this;
    if (this.paused) {
      this.lostWhilePaused = { error };
      return undefined;
    }
    if (connection === undefined || this.done) return undefined;
    const { parser } = connection;
    const event = error === undefined ? parser.finish() : ParserEvent.needMore;
    const how = error?.message ?? 'the server closed the connection';
    if (event === ParserEvent.end) this.owner.responseComplete(performance.now());
    else if (event === ParserEvent.failed) this.fail('upstream_protocol', parser.fault);
    else if (this.headRead && this.pending === undefined) this.fail('upstream_incomplete', how);
    else return this.forget(new PorticoError(parser.begun ? 'upstream_incomplete' : 'upstream_reset', how));
    return undefined;
  }

  /** What was read of a response and not passed on counts for nothing. */
  private forget(error: PorticoError): PorticoError {
    const { trace } = this.owner;
    this.headRead = false;
    this.pending = undefined;
    trace.status = 0;
    trace.headMs = undefined;
    return error;
  }

  /** Ends the response towards the client; called once it was read whole. */
  finish(): void {
    this.done = true;
    const { sink, pending } = this;
    if (this.takeover !== undefined) return;
    if (pending !== undefined) this.respondWithoutBody(pending, this.connection?.parser);
    else if (!this.answered) sink.end();
    sink.onDrain = undefined;
  }

  private takeHead(parser: ResponseParser): boolean {
    const { route, owner } = this;
    const { context } = owner;
    const { block } = route.upstream;
    this.noteHead(parser);
    if (!owner.headReceived(parser.status)) return false;
    this.headRead = true;
    this.originBytes = block.size;
    this.addFields(parser);
    this.buffered = isBuffered(parser, route);
    const { responseInterceptor } = route;
    if (responseInterceptor !== undefined) {
      this.takeover = responseInterceptor.intercept(this, context);
      if (this.takeover !== undefined) {
        this.dropUntil = this.now + dropMs;
        return true;
      }
    }
    this.pending = new ResponseHead(parser.status, block.view());
    return true;
  }

  private noteHead(parser: ResponseParser): void {
    const { trace, sentAt } = this.owner;
    const elapsed = this.now - sentAt;
    trace.status = parser.status;
    trace.headMs = elapsed;
    this.route.upstream.metrics.firstByte.observe(elapsed / 1000);
  }

  private addFields(parser: ResponseParser): void {
    const { route } = this;
    const { context } = this.owner;
    const { block } = route.upstream;
    block.append(route.responseFields);
    const session = route.admission.sessionLine(context);
    if (session !== undefined) block.appendText(session);
    if (!route.addsRequestId || parser.hasRequestId) return;
    block.append(requestIdPrefix);
    block.appendText(context.requestId);
  }

  /** Nobody looks at what a 101 says but the client. */
  private switchOver(parser: ResponseParser): boolean {
    const { block } = this.route.upstream;
    this.done = true;
    this.noteHead(parser);
    this.addFields(parser);
    block.appendText(`\r\nUpgrade: ${parser.switchedTo}`);
    return this.owner.switched(new ResponseHead(parser.status, block.view()));
  }

  private passData(parser: ResponseParser): boolean {
    const { pending } = this;
    const chunk = parser.data();
    // Set before the last byte goes out: the log may be written while it does.
    if (parser.isLastData) this.owner.trace.totalMs = this.now - this.owner.sentAt;
    if (pending === undefined) return this.sink.write(chunk);
    this.pending = undefined;
    if (parser.isLastData && chunk.length <= wholeBodyBytes) return this.respondWhole(pending, chunk);
    // A chunked body that is here whole has a known length after all.
    const length = parser.contentLength ?? (parser.isLastData ? chunk.length : undefined);
    return this.sink.stream(pending, length, chunk);
  }

  private respondWhole(head: ResponseHead, body: Buffer): true {
    const { sink, connection } = this;
    this.answered = true;
    sink.respond(head, body);
    // Should the listener go on reading the body, its buffer and with it the connection are not used again.
    if (connection !== undefined && sink.bytesSent < body.length && sink.bodyFree !== true) connection.lent = true;
    return true;
  }

  private drop(parser: ResponseParser): void {
    this.droppedBytes += parser.dataEnd - parser.dataStart;
    if (this.droppedBytes <= droppedBytesBound || parser.isLastData) return;
    this.connection?.destroy();
    this.owner.responseComplete(this.now);
  }

  /** Everything read was passed on, and the response goes on. */
  private awaitMore(parser: ResponseParser): void {
    const { pending } = this;
    if (!this.headRead) return;
    if (pending !== undefined) {
      if (parser.contentLength === undefined && !parser.bodiless) {
        // It may be long until there is a body, and the head is what the client waits for.
        this.pending = undefined;
        this.sink.stream(copyOf(pending), undefined);
      } else {
        this.pending = copyOf(pending);
      }
    }
    this.owner.progressed(this.now);
  }

  /** The client has fallen behind: from now on what it does not take is kept for it. @returns whether it is */
  private buffer(): boolean {
    const { buffering } = this.route;
    const { exchange } = this.owner.context;
    if (!this.buffered || buffering === undefined || this.done || exchange.aborted) return false;
    this.buffered = false;
    const buffer = new BufferedResponse(this.sink, buffering);
    this.sink = buffer;
    // It lives on when the request is over upstream, until the client has it all or has gone.
    const { onAborted } = exchange;
    exchange.onAborted = () => {
      buffer.close();
      onAborted?.();
    };
    return true;
  }

  private pause(connection: Connection): false {
    if (this.done || this.owner.context.exchange.aborted) return false;
    this.paused = true;
    // The client's side still reads the chunk: the buffer it lies in is not to be used again before it has drained.
    connection.lent = true;
    connection.deadlineAt = Number.POSITIVE_INFINITY;
    this.sink.onDrain = () => this.goOn(connection);
    return false;
  }

  private goOn(connection: Connection): void {
    if (this.done || !this.paused) return;
    this.paused = false;
    connection.lent = false;
    if (!this.passOn() || this.done) return;
    const { lostWhilePaused } = this;
    if (lostWhilePaused !== undefined) {
      this.lost(lostWhilePaused.error);
      return;
    }
    connection.resume();
    this.owner.progressed(performance.now());
  }

  private respondWithoutBody(head: ResponseHead, parser: ResponseParser | undefined): void {
    this.pending = undefined;
    if (parser?.bodiless === true && head.status !== 204) this.sink.respondHead(head, parser.contentLength);
    else this.sink.respond(head, nothing);
  }

  private fail(code: 'upstream_protocol' | 'upstream_incomplete', detail: string): void {
    this.owner.responseFailed(new PorticoError(code, detail));
  }
}

/** Event streams go out as they come, and so does what the application says it about (as NGINX has it). */
function isBuffered(parser: ResponseParser, { buffering, upstream }: ProxyRoute): boolean {
  if (buffering === undefined || parser.eventStream) return false;
  const { directives } = parser;
  const trusted = directives !== undefined && upstream.config.directives.buffering;
  const wish = trusted ? directive(directives, 'x-accel-buffering') : undefined;
  return wish === 'no' ? false : buffering.response || wish === 'yes';
}

/** The head in memory of its own: the block is used for the next one meanwhile. */
function copyOf(head: ResponseHead): ResponseHead {
  return new ResponseHead(head.status, Buffer.from(head.block));
}
