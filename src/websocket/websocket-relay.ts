import { performance } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { closeCodes, maySendCloseCode } from '../http/close-code.ts';
import type { WebSocketPeer, WebSocketSink } from '../listener/websocket.ts';
import type { RequestContext, WebSocketTrace } from '../request/request-context.ts';
import type { Idler } from './idle-clock.ts';
import type { WebSocketMetrics } from './websocket-metrics.ts';
import type { WebSocketRoute } from './websocket-route.ts';

const noReason = Buffer.alloc(0);
const wentAway = Buffer.from('the application went away');
const tooLarge = Buffer.from('message too large');
const tooSlow = Buffer.from('the application does not keep up');

/**
 * An open WebSocket between a client and a server: two connections, each with frames, masks and pings of its own, and
 * whole messages passed on between them. Who ends it first decides what the other side is told.
 */
export class WebSocketRelay implements WebSocketSink, Idler {
  private readonly route: WebSocketRoute;
  private readonly upstream: WebSocket;
  private readonly metrics: WebSocketMetrics;
  private readonly trace: WebSocketTrace;
  private readonly released: () => void;
  private peer: WebSocketPeer | undefined;
  private ended = false;
  /** When something came last of the client, and whether it was pinged since. */
  private clientHeardAt = performance.now();
  private clientPinged = false;
  private upstreamHeardAt = this.clientHeardAt;
  private upstreamPinged = false;

  /** @param released called once, when the server's connection has ended */
  constructor(route: WebSocketRoute, context: RequestContext, upstream: WebSocket, released: () => void) {
    this.route = route;
    this.upstream = upstream;
    this.released = released;
    this.metrics = route.metricsOf(context);
    this.trace = { messagesIn: 0, messagesOut: 0, bytesIn: 0, closedBy: 'portico', closeCode: closeCodes.lost };
    context.webSocket = this.trace;
  }

  start(peer: WebSocketPeer): void {
    const { upstream } = this;
    this.peer = peer;
    this.metrics.open.add(1);
    this.route.clock.add(this);
    upstream.on('message', (data, binary) => this.fromUpstream(data as Buffer, binary));
    upstream.on('ping', () => this.upstreamHeard());
    upstream.on('pong', () => this.upstreamHeard());
    upstream.on('error', (error: NodeJS.ErrnoException) => this.upstreamBroke(error));
    upstream.on('close', (code, reason) => this.upstreamClosed(code, reason));
  }

  // --- what the client does ---

  message(data: Buffer, binary: boolean): void {
    const { upstream, metrics, trace, route } = this;
    this.heard();
    if (this.ended) return;
    if (data.length > route.options.maxMessage) return this.endBoth(closeCodes.tooLarge, tooLarge);
    // What waits already counts: one message may be larger than the bound.
    if (upstream.bufferedAmount > route.options.maxBuffered) return this.endBoth(closeCodes.tryLater, tooSlow);
    trace.messagesIn++;
    trace.bytesIn += data.length;
    metrics.messagesIn.add(1);
    metrics.bytesIn.add(data.length);
    upstream.send(data, { binary });
  }

  heard(): void {
    this.clientHeardAt = performance.now();
    this.clientPinged = false;
  }

  drained(): void {
    const { upstream, peer, route } = this;
    this.heard();
    if (!upstream.isPaused || (peer?.bufferedBytes ?? 0) > route.options.maxBuffered / 2) return;
    this.upstreamHeard();
    upstream.resume();
  }

  leave(): void {
    this.endBoth(closeCodes.goingAway, noReason);
  }

  closed(code: number, reason: Buffer): void {
    if (!this.ended) {
      this.note('client', code);
      if (code === closeCodes.lost) this.upstream.terminate();
      else this.closeUpstream(code, reason);
    }
    this.route.clock.delete(this);
    this.metrics.open.add(-1);
    this.metrics.closed(this.trace);
  }

  // --- what the server does ---

  private fromUpstream(data: Buffer, binary: boolean): void {
    const { peer, metrics, trace, route, upstream } = this;
    this.upstreamHeard();
    if (this.ended || peer === undefined) return;
    trace.messagesOut++;
    metrics.messagesOut.add(1);
    metrics.bytesOut.add(data.length);
    peer.send(data, binary);
    if (peer.bufferedBytes >= route.options.maxBuffered) upstream.pause();
  }

  private upstreamHeard(): void {
    this.upstreamHeardAt = performance.now();
    this.upstreamPinged = false;
  }

  /** A broken connection, or frames that are none; the library closes it by itself. */
  private upstreamBroke(error: NodeJS.ErrnoException): void {
    const large = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    this.upstreamEnded(large ? closeCodes.tooLarge : closeCodes.internal, large ? tooLarge : wentAway);
  }

  private upstreamClosed(code: number, reason: Buffer): void {
    if (code === closeCodes.lost) this.upstreamEnded(closeCodes.internal, wentAway);
    else this.upstreamEnded(code, reason);
    this.released();
  }

  private upstreamEnded(code: number, reason: Buffer): void {
    if (this.ended) return;
    this.note('upstream', code);
    this.peer?.close(maySendCloseCode(code) ? code : undefined, maySendCloseCode(code) ? reason : noReason);
  }

  // --- what time and Portico do ---

  checkIdle(now: number): void {
    const { idleTimeout } = this.route.options;
    if (this.ended) return;
    if (now - this.clientHeardAt > idleTimeout) return this.dropClient();
    // Nothing can be heard of a server that is not read from.
    if (this.upstream.isPaused) this.upstreamHeard();
    if (now - this.upstreamHeardAt > idleTimeout) return this.dropUpstream();
    if (!this.clientPinged && now - this.clientHeardAt > idleTimeout / 2) {
      this.clientPinged = true;
      this.peer?.ping();
    }
    if (!this.upstreamPinged && now - this.upstreamHeardAt > idleTimeout / 2) {
      this.upstreamPinged = true;
      if (this.upstream.readyState === WebSocket.OPEN) this.upstream.ping();
    }
  }

  private dropClient(): void {
    this.note('portico', closeCodes.lost);
    this.peer?.terminate();
    this.closeUpstream(closeCodes.goingAway, noReason);
  }

  private dropUpstream(): void {
    this.note('portico', closeCodes.internal);
    this.peer?.close(closeCodes.internal, wentAway);
    this.upstream.terminate();
  }

  private endBoth(code: number, reason: Buffer): void {
    if (this.ended) return;
    this.note('portico', code);
    this.peer?.close(code, reason);
    this.closeUpstream(closeCodes.goingAway, noReason);
  }

  private closeUpstream(code: number, reason: Buffer): void {
    // A paused socket would never bring the answer.
    if (this.upstream.isPaused) this.upstream.resume();
    if (maySendCloseCode(code)) this.upstream.close(code, reason);
    else this.upstream.close();
  }

  private note(closedBy: WebSocketTrace['closedBy'], code: number): void {
    this.ended = true;
    this.trace.closedBy = closedBy;
    this.trace.closeCode = code;
  }
}
