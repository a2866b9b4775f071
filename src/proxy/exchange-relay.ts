import { performance } from 'node:perf_hooks';
import type { Applicant, Outcome } from '../balancer/admission.ts';
import type { Exchange, RequestBody } from '../listener/exchange.ts';
import type { RequestContext, UpstreamTrace } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { connectError } from '../upstream/connect-error.ts';
import type { Connection, ConnectionUser } from '../upstream/connection.ts';
import { clientEnds, proxyHeader } from '../upstream/proxy-header.ts';
import type { Server } from '../upstream/server.ts';
import { newUpstreamTrace } from '../upstream/upstream-trace.ts';
import { BufferedRequest } from './buffered-request.ts';
import type { RouteBuffering } from './buffering.ts';
import type { ProxyRoute } from './proxy-route.ts';
import { RequestRelay } from './request-relay.ts';
import type { RequestOwner, RequestSource } from './request-source.ts';
import type { Takeover } from './response-interceptor.ts';
import { type ResponseOwner, ResponseRelay } from './response-relay.ts';
import { isRetryStatus, mayRetry, type RetryReason } from './retry.ts';

/**
 * One request on its way through an upstream: takes a server and a connection, sends the request, has the response passed
 * on as it comes, and tries again where that is safe. Ends exactly once: complete, failed, or left by the client.
 */
export class ExchangeRelay implements ConnectionUser, RequestOwner, ResponseOwner, Applicant {
  private readonly route: ProxyRoute;
  readonly context: RequestContext;
  /** Servers that this request has failed on. */
  tried: Server[] | undefined;
  /** The admission's: see `Waiting` and `CircuitUser`. */
  waitingSince: Applicant['waitingSince'];
  place: Applicant['place'];
  circuitProbe = false;
  sentAt = 0;
  readonly trace: UpstreamTrace;
  private readonly exchange: Exchange;
  /** Undefined for a request without a body. */
  private readonly request: RequestSource | undefined;
  private readonly response: ResponseRelay;
  private connection: Connection | undefined;
  private server: Server | undefined;
  private sent = false;
  /** Times that it was sent. */
  private sendings = 0;
  /** A kept-alive connection died under it. */
  private wasStale = false;
  private done = false;

  constructor(route: ProxyRoute, context: RequestContext) {
    this.route = route;
    this.context = context;
    this.exchange = context.exchange;
    this.trace = newUpstreamTrace(route.upstream.name);
    context.upstream = this.trace;
    const { body } = context.exchange;
    const whole = route.buffering?.request === true || context.upgrade !== undefined;
    this.request =
      body.declaredLength === 0 ? undefined : requestSource(this, body, whole ? route.buffering : undefined);
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

  admitted(server: Server, now: number): void {
    this.server = server;
    this.trace.server = server.name;
    this.trace.tries++;
    // Where one kept connection was found dead, another may be dead as well.
    // An upgrade is not sent again, so that it gets no connection that may be dead.
    const fresh = this.wasStale || this.context.upgrade !== undefined;
    const kept = fresh ? undefined : server.takeIdle(this, now);
    this.connection = kept ?? server.connect(this, now, this.proxyHeader(server));
    if (kept === undefined) return;
    this.trace.connectMs = 0;
    this.send(kept, server, now);
  }

  /** What tells the server who the client is, where it wants to be told that way. */
  private proxyHeader({ proxyProtocol }: Server): Uint8Array | undefined {
    return proxyProtocol && proxyHeader(proxyProtocol, clientEnds(this.context));
  }

  rejected(error: PorticoError): void {
    this.fail(error);
  }

  private send(connection: Connection, server: Server, now: number): void {
    const { request, route, exchange } = this;
    this.sentAt = now;
    this.sent = true;
    this.sendings++;
    this.waitingSince = undefined;
    const { parser } = connection;
    const asked = this.context.upgrade?.names;
    parser.start(exchange.head.method === 'HEAD', route.responseNames, server.maxResponseHead, asked);
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
    this.route.admission.connected(server);
    this.send(connection, server, now);
  }

  refused(error: Error): void {
    this.tryFailed(connectError(error), 'connect');
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
    this.tryFailed(failure, 'reset', connection.reused && !this.wasStale);
  }

  expired(): void {
    const { connection, server } = this;
    if (connection === undefined || server === undefined) return;
    if (connection.isConnecting) {
      const reason = server.connectTimedOut(connection, performance.now());
      return this.tryFailed(new PorticoError('upstream_connect_timeout', reason), 'connect');
    }
    if (this.response.takeover !== undefined) {
      connection.destroy();
      return this.responseComplete(performance.now());
    }
    const waited = connection.isSending ? 'took no byte of the request' : 'sent nothing';
    const error = new PorticoError('upstream_timeout', `the server ${waited} in time`);
    if (connection.parser.begun) this.fail(error);
    else this.tryFailed(error, 'timeout');
  }

  broke(cause: unknown): void {
    this.fail(new PorticoError('internal', 'a step of the proxied request threw', { cause }));
  }

  /** The try has failed before anything was passed on: another one, or an error response. */
  private tryFailed(error: PorticoError, reason: RetryReason, stale = false): void {
    if (this.done) return;
    const { server } = this;
    if (server === undefined || !this.mayTryAgain(server, reason, stale)) return this.fail(error);
    server.metrics.failure(error.code);
    this.tryAgain(server, { kind: 'failed', error }, stale);
  }

  private mayTryAgain(server: Server, reason: RetryReason, stale: boolean): boolean {
    const { route, request, exchange } = this;
    const { admission, upstream } = route;
    if (exchange.aborted) return false;
    const verdict = mayRetry(
      {
        reason,
        method: exchange.head.method,
        replayable: this.context.upgrade === undefined && (request === undefined || request.replayable),
        sent: this.sent,
        sendings: this.sendings,
        stale,
        tries: this.trace.tries,
        servers: upstream.servers.length,
        another: admission.hasAnother(this, server),
        waits: admission.mayWait(this),
      },
      upstream.config.retry,
    );
    return verdict === 'yes' || (verdict === 'budgeted' && admission.maySendAgain());
  }

  private tryAgain(server: Server, outcome: Outcome, stale: boolean): void {
    const { route } = this;
    this.connection?.destroy();
    this.server = this.connection = undefined;
    const { tried } = this;
    if (tried === undefined) this.tried = [server];
    else if (!tried.includes(server)) tried.push(server);
    if (stale) this.wasStale = true;
    if (this.sent || this.waitingSince === undefined) route.upstream.metrics.retries.add(1);
    this.sent = false;
    route.admission.release(server, outcome, this);
    this.attempt();
  }

  // --- the response ---

  headReceived(status: number): boolean {
    const { server, trace } = this;
    if (!isRetryStatus(status) || server === undefined || !this.mayTryAgain(server, status, false)) return true;
    server.metrics.response(status);
    this.tryAgain(server, { kind: 'response', status, headMs: trace.headMs ?? 0 }, false);
    return false;
  }

  switched(head: ResponseHead): boolean {
    const { connection, context, request, exchange } = this;
    const { upgrade } = context;
    if (connection === undefined || upgrade === undefined) return false;
    // RFC 9110 section 7.8: the request comes first, and what is left of it belongs to no other protocol.
    if (request?.complete === false || !connection.hasSentAll) {
      this.fail(
        new PorticoError('upstream_protocol', 'it switches to another protocol before it has the whole request'),
      );
      return false;
    }
    const relay = upgrade.route.relay(context, connection, () => this.tunnelOver());
    const peer = exchange.acceptUpgrade(head, relay);
    if (peer === undefined) {
      this.abandon();
      return false;
    }
    this.done = true;
    exchange.onAborted = undefined;
    this.server?.metrics.response(head.status);
    request?.abandon();
    return relay.start(peer);
  }

  /** The server is not needed any more. */
  private tunnelOver(): void {
    const { trace } = this;
    const now = performance.now();
    trace.totalMs = now - this.sentAt;
    this.detach({ kind: 'response', status: trace.status, headMs: trace.headMs ?? 0 }, now);
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
    if ((request === undefined || request.complete) && connection?.lent !== true) connection?.release(now);
    else connection?.destroy();
    this.detach({ kind: 'response', status: trace.status, headMs: trace.headMs ?? 0 }, now);
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
    // Only what is on its way whole can be finished without the client.
    const whole = this.request === undefined || this.request.complete || this.request.replayable;
    if (this.route.finishesAbandoned && this.sent && whole) return this.response.discard();
    this.abandon();
  }

  private abandon(): void {
    this.done = true;
    this.response.stop();
    this.server?.metrics.failure('client_gone');
    this.connection?.destroy();
    this.detach({ kind: 'abandoned' });
  }

  private detach(outcome: Outcome, now = performance.now()): void {
    const { admission } = this.route;
    if (this.server === undefined) admission.cancel(this);
    else admission.release(this.server, outcome, this, now);
    this.server = this.connection = undefined;
    this.request?.abandon();
  }
}

/** @param buffering undefined for a body that is passed on as it comes */
function requestSource(owner: RequestOwner, body: RequestBody, buffering: RouteBuffering | undefined): RequestSource {
  return buffering === undefined ? new RequestRelay(owner, body) : new BufferedRequest(owner, body, buffering);
}
