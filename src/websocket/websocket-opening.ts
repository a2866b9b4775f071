import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { WebSocket } from 'ws';
import type { Applicant, Outcome } from '../balancer/admission.ts';
import type { WebSocketRequest } from '../listener/websocket.ts';
import type { RequestContext, UpstreamTrace } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { clientEnds, proxyHeader } from '../upstream/proxy-header.ts';
import type { Server } from '../upstream/server.ts';
import { newUpstreamTrace } from '../upstream/upstream-trace.ts';
import { clientResponseHead, readRequestHead } from './handshake-fields.ts';
import { RefusalRelay } from './refusal-relay.ts';
import { type DialOwner, UpstreamDial } from './upstream-dial.ts';
import { type HandshakeOwner, UpstreamHandshake } from './upstream-handshake.ts';
import { WebSocketRelay } from './websocket-relay.ts';
import type { WebSocketRoute } from './websocket-route.ts';

/**
 * A request for a WebSocket on its way to a server: the handshake is made there first, and what the server says decides
 * what the client gets. Tries the next server as long as nothing was sent. Ends as an open WebSocket, or as a response.
 */
export class WebSocketOpening implements Applicant, DialOwner, HandshakeOwner {
  readonly context: RequestContext;
  /** Servers that could not be reached. */
  tried: Server[] | undefined;
  private readonly route: WebSocketRoute;
  private readonly request: WebSocketRequest;
  private readonly trace: UpstreamTrace;
  private server: Server | undefined;
  private dial: UpstreamDial | undefined;
  private handshake: UpstreamHandshake | undefined;
  private sentAt = 0;
  private done = false;

  constructor(route: WebSocketRoute, context: RequestContext, request: WebSocketRequest) {
    this.route = route;
    this.context = context;
    this.request = request;
    this.trace = newUpstreamTrace(route.upstream.name);
    context.upstream = this.trace;
  }

  start(): void {
    const { exchange } = this.context;
    if (exchange.aborted) return;
    exchange.onAborted = () => this.clientGone();
    this.route.admission.apply(this);
  }

  admitted(server: Server): void {
    this.server = server;
    this.trace.server = server.name;
    this.trace.tries++;
    const { proxyProtocol } = server;
    const header = proxyProtocol && proxyHeader(proxyProtocol, clientEnds(this.context));
    this.dial = new UpstreamDial(server, this, header);
    this.dial.start();
  }

  rejected(error: PorticoError): void {
    this.fail(error);
  }

  connected(connection: Socket): void {
    const { server, dial, route } = this;
    if (server === undefined || dial === undefined) return void connection.destroy();
    route.admission.connected(server);
    this.sentAt = performance.now();
    this.trace.connectMs = this.sentAt - dial.startedAt;
    const request = readRequestHead(route.head.write(this.context, server, 0));
    this.handshake = new UpstreamHandshake(this, connection, request, this.request, {
      responseMs: server.timeouts.response,
      maxResponseHead: server.maxResponseHead,
      maxMessage: route.options.maxMessage,
    });
  }

  unreachable(error: PorticoError): void {
    const { server, route, trace } = this;
    if (server === undefined) return this.fail(error);
    if (trace.tries > route.upstream.servers.length && !route.admission.mayWait(this)) return this.fail(error);
    server.metrics.failure(error.code);
    this.release({ kind: 'failed', error });
    this.tried ??= [];
    if (!this.tried.includes(server)) this.tried.push(server);
    route.upstream.metrics.retries.add(1);
    route.admission.apply(this);
  }

  accepted(socket: WebSocket, protocol: string, response: IncomingMessage): void {
    const relay = new WebSocketRelay(this.route, this.context, socket, () => this.over());
    const peer = this.context.exchange.acceptWebSocket(this.answered(response), protocol, relay);
    if (peer === undefined) {
      socket.on('error', () => {});
      socket.terminate();
      this.clientGone();
      return;
    }
    this.done = true;
    relay.start(peer);
  }

  refused(response: IncomingMessage): void {
    const { server } = this;
    const head = this.answered(response);
    this.done = true;
    const relay = new RefusalRelay(this.context, response, server?.timeouts.read ?? 0, () => this.over());
    relay.start(head);
  }

  failed(error: PorticoError): void {
    this.fail(error);
  }

  /** Notes the answer of the server, and makes the client's of it. */
  private answered(response: IncomingMessage): ResponseHead {
    const { trace, route, server, context } = this;
    trace.status = response.statusCode ?? 0;
    trace.headMs = performance.now() - this.sentAt;
    route.upstream.metrics.firstByte.observe(trace.headMs / 1000);
    server?.metrics.response(trace.status);
    const head = clientResponseHead(trace.status, response.rawHeaders, route.removedResponseFields);
    return head
      .with(route.responseFields)
      .with(Buffer.from(route.admission.sessionLine(context) ?? '', 'latin1'))
      .with(this.requestIdLine(response));
  }

  private requestIdLine(response: IncomingMessage): Buffer {
    const present = response.headers['x-request-id'] !== undefined;
    if (present || this.route.removedResponseFields.has('x-request-id')) return Buffer.alloc(0);
    return Buffer.from(`\r\nX-Request-Id: ${this.context.requestId}`, 'latin1');
  }

  /** The server is not needed any more after it had answered. */
  private over(): void {
    const { trace } = this;
    trace.totalMs = performance.now() - this.sentAt;
    this.release({ kind: 'response', status: trace.status, headMs: trace.headMs ?? 0 });
  }

  private fail(error: PorticoError): void {
    if (this.done) return;
    this.done = true;
    this.server?.metrics.failure(error.code);
    if (this.sentAt > 0) this.trace.totalMs = performance.now() - this.sentAt;
    this.release({ kind: 'failed', error });
    respondError(this.context, error);
  }

  private clientGone(): void {
    if (this.done) return;
    this.done = true;
    this.server?.metrics.failure('client_gone');
    this.dial?.cancel();
    this.handshake?.abandon();
    if (this.server === undefined) this.route.admission.cancel(this);
    else this.release({ kind: 'abandoned' });
  }

  private release(outcome: Outcome): void {
    const { server } = this;
    this.server = undefined;
    if (server !== undefined) this.route.admission.release(server, outcome, this);
  }
}
