import { performance } from 'node:perf_hooks';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestContext, UpstreamTrace } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import { ResponseHead } from '../response/response-head.ts';
import type { Connection, ConnectionUser } from '../upstream/connection.ts';
import { ParserEvent, type ResponseParser } from '../upstream/response-parser.ts';
import type { Server } from '../upstream/server.ts';
import type { ProxyRoute } from './proxy-route.ts';
import { type RequestOwner, RequestRelay } from './request-relay.ts';
import { mayRetry } from './retry.ts';

const nothing = Buffer.alloc(0);
/** A body up to this size that is here whole is answered whole: the listener takes it at once, or copies it. */
const wholeBodyBytes = 8192;

/**
 * One request on its way through an upstream: takes a server and a connection, sends the request, passes the response on
 * as it comes, and tries again where that is safe. Ends exactly once: complete, failed, or left by the client.
 */
export class ExchangeRelay implements ConnectionUser, RequestOwner {
  private readonly route: ProxyRoute;
  private readonly context: RequestContext;
  private readonly exchange: Exchange;
  private readonly trace: UpstreamTrace;
  /** Undefined for a request without a body. */
  private readonly request: RequestRelay | undefined;
  private connection: Connection | undefined;
  private server: Server | undefined;
  /** Servers that this request has failed on. */
  private tried: Server[] | undefined;
  private sentAt = 0;
  private sent = false;
  private resent = false;
  private done = false;
  /** A head that was read and not passed on yet: it goes together with the first piece of body. */
  private pending: ResponseHead | undefined;
  private headRead = false;
  /** Whether the response was given to the exchange whole. */
  private answered = false;
  /** The client does not take more for now. */
  private paused = false;
  /** The connection ended while the client took nothing; what was read before is passed on first. */
  private lostWhilePaused: { readonly error: Error | undefined } | undefined;

  constructor(route: ProxyRoute, context: RequestContext) {
    this.route = route;
    this.context = context;
    this.exchange = context.exchange;
    this.trace = {
      upstream: route.upstream.name,
      server: '',
      tries: 0,
      status: 0,
      connectMs: undefined,
      headMs: undefined,
      totalMs: undefined,
    };
    context.upstream = this.trace;
    const { body } = context.exchange;
    this.request = body.declaredLength === 0 ? undefined : new RequestRelay(this, body);
  }

  start(): void {
    if (this.exchange.aborted) return;
    this.exchange.onAborted = () => this.clientGone();
    if (this.request === undefined) this.attempt();
    else this.request.start();
  }

  // --- the request ---

  bodyBegun(): void {
    if (!this.done) this.attempt();
  }

  bodySent(): void {
    this.watchProgress(performance.now());
  }

  bodyFailed(error: PorticoError): void {
    this.fail(error);
  }

  private attempt(): void {
    const now = performance.now();
    const { upstream } = this.route;
    const server = this.route.balancer.pick(upstream.servers, now, this.tried);
    if (server === undefined) return this.fail(new PorticoError('upstream_unreachable', 'the upstream has no server'));
    this.server = server;
    this.trace.server = server.name;
    this.trace.tries++;
    server.active++;
    // Where one kept connection was found dead, another may be dead as well.
    const kept = this.resent ? undefined : server.takeIdle(this, now);
    this.connection = kept ?? server.connect(this, now);
    if (kept === undefined) return;
    this.trace.connectMs = 0;
    this.send(kept, server, now);
  }

  private send(connection: Connection, server: Server, now: number): void {
    const { request, route, exchange } = this;
    this.sentAt = now;
    this.sent = true;
    connection.parser.start(exchange.head.method === 'HEAD', route.responseNames, server.maxResponseHead);
    const length = request === undefined ? 0 : exchange.body.declaredLength;
    const head = route.head.write(this.context, server, length);
    if (request === undefined) connection.send(head);
    else request.send(connection, head);
    this.watchProgress(now);
  }

  /** Sets the deadline for whatever the server has to do next. */
  private watchProgress(now: number): void {
    const { connection, server, request } = this;
    if (connection === undefined || server === undefined || !this.sent) return;
    const { timeouts } = server;
    if (this.paused) connection.deadlineAt = Number.POSITIVE_INFINITY;
    else if (connection.isSending) connection.deadlineAt = now + timeouts.write;
    else if (request?.complete === false) connection.deadlineAt = Number.POSITIVE_INFINITY;
    else connection.deadlineAt = now + (this.headRead ? timeouts.read : timeouts.response);
  }

  // --- what the connection tells ---

  connected(): void {
    const { connection, server } = this;
    if (connection === undefined || server === undefined) return;
    const now = performance.now();
    this.trace.connectMs = now - connection.startedAt;
    this.send(connection, server, now);
  }

  refused(error: Error): void {
    this.tryFailed(new PorticoError('upstream_unreachable', error.message, { cause: error }));
  }

  received(): boolean {
    return this.passOn();
  }

  drained(): void {
    this.request?.drained();
    this.watchProgress(performance.now());
  }

  lost(error: Error | undefined): void {
    if (this.paused) {
      this.lostWhilePaused = { error };
      return;
    }
    this.connectionEnded(error);
  }

  expired(): void {
    const { connection, server } = this;
    if (connection === undefined || server === undefined) return;
    if (connection.isConnecting) {
      server.connectTimedOut(connection, performance.now());
      connection.destroy();
      const { connect } = server.timeouts;
      return this.tryFailed(new PorticoError('upstream_connect_timeout', `no connection within ${connect} ms`));
    }
    const waited = connection.isSending ? 'took no byte of the request' : 'sent nothing';
    this.fail(new PorticoError('upstream_timeout', `the server ${waited} in time`));
  }

  broke(cause: unknown): void {
    this.fail(new PorticoError('internal', 'a step of the proxied request threw', { cause }));
  }

  private connectionEnded(error: Error | undefined): void {
    const { connection } = this;
    if (connection === undefined) return;
    const { parser } = connection;
    const event = error === undefined ? parser.finish() : ParserEvent.needMore;
    if (event === ParserEvent.end) return this.complete(performance.now());
    if (event === ParserEvent.failed) return this.fail(new PorticoError('upstream_protocol', parser.fault));
    const how = error?.message ?? 'the server closed the connection';
    const failure = new PorticoError(parser.begun ? 'upstream_incomplete' : 'upstream_reset', how);
    if (this.headRead && this.pending === undefined) return this.fail(failure);
    if (connection.reused && !parser.begun) this.server?.dropIdle();
    this.forgetResponse();
    this.tryFailed(failure);
  }

  /** What was read of a response and not passed on counts for nothing. */
  private forgetResponse(): void {
    this.pending = undefined;
    this.headRead = false;
    this.trace.status = 0;
    this.trace.headMs = undefined;
  }

  /** The try has failed before the client got a byte of a response: another one, or an error response. */
  private tryFailed(error: PorticoError): void {
    if (this.done) return;
    const { server, route, exchange, sent } = this;
    const again = mayRetry({
      method: exchange.head.method,
      hasBody: this.request !== undefined,
      sent,
      resent: this.resent,
      tries: this.trace.tries,
      servers: route.upstream.servers.length,
    });
    if (!again || server === undefined) return this.fail(error);
    server.metrics.failure(error.code);
    server.active--;
    this.server = this.connection = undefined;
    (this.tried ??= []).push(server);
    if (sent) this.resent = true;
    this.sent = false;
    route.upstream.metrics.retries.add(1);
    this.attempt();
  }

  // --- the response ---

  /** Passes on what was read. @returns false when the client does not take more for now */
  private passOn(): boolean {
    const { connection } = this;
    if (connection === undefined) return false;
    const { parser } = connection;
    for (;;) {
      switch (parser.next()) {
        case ParserEvent.head:
          this.takeHead(parser);
          break;
        case ParserEvent.data:
          if (!this.passData(parser)) return this.pause(connection);
          break;
        case ParserEvent.end:
          this.complete(performance.now());
          return true;
        case ParserEvent.failed:
          this.fail(new PorticoError('upstream_protocol', parser.fault));
          return false;
        default:
          this.awaitMore(parser);
          return true;
      }
      if (this.done) return false;
    }
  }

  private takeHead(parser: ResponseParser): void {
    const { route, trace } = this;
    const { block, metrics } = route.upstream;
    const elapsed = performance.now() - this.sentAt;
    this.headRead = true;
    trace.status = parser.status;
    trace.headMs = elapsed;
    metrics.firstByte.observe(elapsed / 1000);
    block.append(route.responseFields);
    if (route.addsRequestId && !parser.hasRequestId) block.appendText(`\r\nX-Request-Id: ${this.context.requestId}`);
    this.pending = new ResponseHead(parser.status, block.view());
  }

  private passData(parser: ResponseParser): boolean {
    const { exchange, pending } = this;
    const chunk = parser.bytes.subarray(parser.dataStart, parser.dataEnd);
    // Set before the last byte goes out: the log may be written while it does.
    if (parser.isLastData) this.trace.totalMs = performance.now() - this.sentAt;
    if (pending === undefined) return exchange.write(chunk);
    this.pending = undefined;
    if (parser.isLastData && chunk.length <= wholeBodyBytes) return this.respondWhole(pending, chunk);
    // A chunked body that is here whole has a known length after all.
    const length = parser.contentLength ?? (parser.isLastData ? chunk.length : undefined);
    return exchange.stream(pending, length, chunk);
  }

  private respondWhole(head: ResponseHead, body: Buffer): true {
    const { exchange, connection } = this;
    this.answered = true;
    exchange.respond(head, body);
    // Should the listener go on reading the body, its buffer and with it the connection are not used again.
    if (connection !== undefined && exchange.bytesSent < body.length) connection.lent = true;
    return true;
  }

  /** Everything read was passed on, and the response goes on. */
  private awaitMore(parser: ResponseParser): void {
    const { pending } = this;
    if (!this.headRead) return;
    if (pending !== undefined) {
      if (parser.contentLength === undefined && !parser.bodiless) {
        // It may be long until there is a body, and the head is what the client waits for.
        this.pending = undefined;
        this.exchange.stream(copyOf(pending), undefined);
      } else {
        this.pending = copyOf(pending);
      }
    }
    this.watchProgress(performance.now());
  }

  private pause(connection: Connection): false {
    const { exchange } = this;
    if (this.done || exchange.aborted) return false;
    this.paused = true;
    // The client's side still reads the chunk: the buffer it lies in is not to be used again before it has drained.
    connection.lent = true;
    connection.deadlineAt = Number.POSITIVE_INFINITY;
    exchange.onDrain = () => this.goOn(connection);
    return false;
  }

  private goOn(connection: Connection): void {
    if (this.done || !this.paused) return;
    this.paused = false;
    connection.lent = false;
    if (!this.passOn() || this.done) return;
    const { lostWhilePaused } = this;
    if (lostWhilePaused !== undefined) return this.connectionEnded(lostWhilePaused.error);
    connection.resume();
    this.watchProgress(performance.now());
  }

  // --- the ends ---

  private complete(now: number): void {
    if (this.done) return;
    this.done = true;
    const { exchange, connection, server, request, pending, trace } = this;
    trace.totalMs ??= now - this.sentAt;
    if (pending !== undefined) this.respondWithoutBody(pending, connection?.parser);
    else if (!this.answered) exchange.end();
    exchange.onDrain = undefined;
    server?.metrics.response(trace.status);
    server?.metrics.duration.observe(trace.totalMs / 1000);
    // An answer that came before the request was sent whole leaves a connection on which nothing else can follow.
    if ((request === undefined || request.complete) && connection?.lent !== true) connection?.release();
    else connection?.destroy();
    this.detach();
  }

  private respondWithoutBody(head: ResponseHead, parser: ResponseParser | undefined): void {
    this.pending = undefined;
    const { exchange } = this;
    if (parser?.bodiless === true && head.status !== 204) exchange.respondHead(head, parser.contentLength);
    else exchange.respond(head, nothing);
  }

  private fail(error: PorticoError): void {
    if (this.done) return;
    this.done = true;
    if (this.sent || error.side === 'upstream') this.server?.metrics.failure(error.code);
    this.trace.totalMs ??= this.sent ? performance.now() - this.sentAt : undefined;
    this.connection?.destroy();
    this.detach();
    respondError(this.context, error);
  }

  private clientGone(): void {
    if (this.done) return;
    this.done = true;
    this.server?.metrics.failure('client_gone');
    this.connection?.destroy();
    this.detach();
  }

  private detach(): void {
    if (this.server !== undefined) this.server.active--;
    this.server = this.connection = undefined;
    this.request?.abandon();
  }
}

/** The head in memory of its own: the block is used for the next one meanwhile. */
function copyOf(head: ResponseHead): ResponseHead {
  return new ResponseHead(head.status, Buffer.from(head.block));
}
