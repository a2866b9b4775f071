import { performance } from 'node:perf_hooks';
import type { Applicant, Outcome } from '../balancer/admission.ts';
import type { Exchange, RequestBody } from '../listener/exchange.ts';
import type { RequestContext, UpstreamTrace } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Connection, ConnectionUser } from '../upstream/connection.ts';
import type { Server } from '../upstream/server.ts';
import { BufferedRequest } from './buffered-request.ts';
import type { RouteBuffering } from './buffering.ts';
import type { ProxyRoute } from './proxy-route.ts';
import { RequestRelay } from './request-relay.ts';
import type { RequestOwner, RequestSource } from './request-source.ts';
import type { Takeover } from './response-interceptor.ts';
import { type ResponseOwner, ResponseRelay } from './response-relay.ts';
import { mayRetry } from './retry.ts';

/**
 * One request on its way through an upstream: takes a server and a connection, sends the request, has the response passed
 * on as it comes, and tries again where that is safe. Ends exactly once: complete, failed, or left by the client.
 */
export class ExchangeRelay implements ConnectionUser, RequestOwner, ResponseOwner, Applicant {
  private readonly route: ProxyRoute;
  readonly context: RequestContext;
  /** Servers that this request has failed on. */
  tried: Server[] | undefined;
  sentAt = 0;
  readonly trace: UpstreamTrace;
  private readonly exchange: Exchange;
  /** Undefined for a request without a body. */
  private readonly request: RequestSource | undefined;
  private readonly response: ResponseRelay;
  private connection: Connection | undefined;
  private server: Server | undefined;
  private sent = false;
  private resent = false;
  private done = false;

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
    this.request = body.declaredLength === 0 ? undefined : requestSource(this, body, route.buffering);
    this.response = new ResponseRelay(this, route, context.exchange);
  }

  start(): void {
    if (this.exchange.aborted) return;
    this.exchange.onAborted = () => this.clientGone();
    if (this.request === undefined) this.attempt();
    else this.request.start();
  }

  // --- the request ---

  bodyReady(): void {
    if (!this.done) this.attempt();
  }

  bodySent(): void {
    this.progressed(performance.now());
  }

  bodyFailed(error: PorticoError): void {
    this.fail(error);
  }

  private attempt(): void {
    this.route.admission.apply(this);
  }

  admitted(server: Server): void {
    const now = performance.now();
    this.server = server;
    this.trace.server = server.name;
    this.trace.tries++;
    // Where one kept connection was found dead, another may be dead as well.
    const kept = this.resent ? undefined : server.takeIdle(this, now);
    this.connection = kept ?? server.connect(this, now);
    if (kept === undefined) return;
    this.trace.connectMs = 0;
    this.send(kept, server, now);
  }

  rejected(error: PorticoError): void {
    this.fail(error);
  }

  private send(connection: Connection, server: Server, now: number): void {
    const { request, route, exchange } = this;
    this.sentAt = now;
    this.sent = true;
    connection.parser.start(exchange.head.method === 'HEAD', route.responseNames, server.maxResponseHead);
    this.response.begin(connection);
    const length = request === undefined ? 0 : request.length;
    const head = route.head.write(this.context, server, length);
    if (request === undefined) connection.send(head);
    else request.send(connection, head);
    this.progressed(now);
  }

  /** Sets the deadline for whatever the server has to do next. */
  progressed(now: number): void {
    const { connection, server, request, response } = this;
    if (connection === undefined || server === undefined || !this.sent) return;
    const { timeouts } = server;
    if (response.takeover !== undefined) connection.deadlineAt = response.dropUntil;
    else if (response.paused) connection.deadlineAt = Number.POSITIVE_INFINITY;
    else if (connection.isSending) connection.deadlineAt = now + timeouts.write;
    else if (request?.complete === false) connection.deadlineAt = Number.POSITIVE_INFINITY;
    else connection.deadlineAt = now + (response.headRead ? timeouts.read : timeouts.response);
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
    return this.response.passOn();
  }

  drained(): void {
    this.request?.drained();
    this.progressed(performance.now());
  }

  lost(error: Error | undefined): void {
    const { connection } = this;
    const failure = this.response.lost(error);
    if (failure === undefined || connection === undefined) return;
    if (connection.reused) this.server?.dropIdle();
    this.tryFailed(failure);
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
    if (this.response.takeover !== undefined) {
      connection.destroy();
      return this.responseComplete(performance.now());
    }
    const waited = connection.isSending ? 'took no byte of the request' : 'sent nothing';
    this.fail(new PorticoError('upstream_timeout', `the server ${waited} in time`));
  }

  broke(cause: unknown): void {
    this.fail(new PorticoError('internal', 'a step of the proxied request threw', { cause }));
  }

  /** The try has failed before anything was passed on: another one, or an error response. */
  private tryFailed(error: PorticoError): void {
    if (this.done) return;
    const { server, route, exchange, sent } = this;
    const again = mayRetry({
      method: exchange.head.method,
      hasBody: this.request !== undefined && !this.request.replayable,
      sent,
      resent: this.resent,
      tries: this.trace.tries,
      servers: route.upstream.servers.length,
    });
    if (!again || server === undefined) return this.fail(error);
    server.metrics.failure(error.code);
    this.connection?.destroy();
    route.admission.release(server, { kind: 'failed', error });
    this.server = this.connection = undefined;
    (this.tried ??= []).push(server);
    if (sent) this.resent = true;
    this.sent = false;
    route.upstream.metrics.retries.add(1);
    this.attempt();
  }

  // --- the response ---

  /** Here a status may be found not worth passing on: then `tryFailed`, and false. */
  headReceived(_status: number): boolean {
    return true;
  }

  responseFailed(error: PorticoError): void {
    this.fail(error);
  }

  // --- the ends ---

  responseComplete(now: number): void {
    if (this.done) return;
    this.done = true;
    const { connection, server, request, response, trace } = this;
    trace.totalMs ??= now - this.sentAt;
    response.finish();
    server?.metrics.response(trace.status);
    server?.metrics.duration.observe(trace.totalMs / 1000);
    // An answer that came before the request was sent whole leaves a connection on which nothing else can follow.
    if ((request === undefined || request.complete) && connection?.lent !== true) connection?.release();
    else connection?.destroy();
    this.detach({ kind: 'response', status: trace.status, headMs: trace.headMs ?? 0 });
    if (response.takeover !== undefined) this.takeOver(response.takeover);
  }

  private fail(error: PorticoError): void {
    if (this.done) return;
    this.done = true;
    const { takeover } = this.response;
    this.response.stop();
    if (this.sent || error.side === 'upstream') this.server?.metrics.failure(error.code);
    this.trace.totalMs ??= this.sent ? performance.now() - this.sentAt : undefined;
    this.connection?.destroy();
    this.detach({ kind: 'failed', error });
    // What was decided by the head stands, whatever became of the body behind it.
    if (takeover === undefined) respondError(this.context, error);
    else this.takeOver(takeover);
  }

  private takeOver(takeover: Takeover): void {
    try {
      takeover(this.context);
    } catch (cause) {
      respondError(this.context, new PorticoError('internal', 'what answers for the upstream threw', { cause }));
    }
  }

  private clientGone(): void {
    if (this.done) return;
    this.done = true;
    this.response.stop();
    this.server?.metrics.failure('client_gone');
    this.connection?.destroy();
    this.detach({ kind: 'abandoned' });
  }

  private detach(outcome: Outcome): void {
    const { admission } = this.route;
    if (this.server === undefined) admission.cancel(this);
    else admission.release(this.server, outcome);
    this.server = this.connection = undefined;
    this.request?.abandon();
  }
}

function requestSource(owner: RequestOwner, body: RequestBody, buffering: RouteBuffering | undefined): RequestSource {
  return buffering?.request === true ? new BufferedRequest(owner, body, buffering) : new RequestRelay(owner, body);
}
