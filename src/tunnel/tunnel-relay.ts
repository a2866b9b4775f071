import { performance } from 'node:perf_hooks';
import type { TunnelPeer, TunnelSink } from '../listener/tunnel.ts';
import type { RequestContext, TunnelTrace } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Connection, ConnectionUser } from '../upstream/connection.ts';
import { ParserEvent } from '../upstream/response-parser.ts';
import type { TunnelMetrics } from './tunnel-metrics.ts';

/**
 * A tunnel between a client and a server: bytes pass as they come. Neither side is read from while the other does not take
 * what was read before, so that what waits is a piece or two. A side that ends is told to the other one, which may go on; where
 * one breaks, the other is cut, so that nobody takes what has come for complete.
 */
export class TunnelRelay implements TunnelSink, ConnectionUser {
  private readonly idleTimeoutMs: number;
  private readonly metrics: TunnelMetrics;
  private readonly context: RequestContext;
  private readonly connection: Connection;
  private readonly released: () => void;
  private readonly trace: TunnelTrace;
  private peer: TunnelPeer | undefined;
  private clientPaused = false;
  private upstreamPaused = false;
  private clientEnded = false;
  private upstreamEnded = false;
  /** Nothing more is expected of that side. */
  private clientOver = false;
  private upstreamOver = false;
  /** How it ended is known for good. */
  private noted = false;

  constructor(
    idleTimeoutMs: number,
    metrics: TunnelMetrics,
    context: RequestContext,
    connection: Connection,
    released: () => void,
  ) {
    this.idleTimeoutMs = idleTimeoutMs;
    this.metrics = metrics;
    this.context = context;
    this.connection = connection;
    this.released = released;
    const { switchedTo } = connection.parser;
    this.trace = { protocol: switchedTo, bytesIn: 0, closedBy: 'portico', closeReason: 'reset' };
    context.tunnel = this.trace;
  }

  /** Begins with what the server has sent behind its answer. @returns whether it is read on, as for `received` */
  start(peer: TunnelPeer): boolean {
    this.peer = peer;
    this.metrics.open.add(1);
    this.connection.switchTo(this);
    this.progressed();
    const goesOn = this.received();
    peer.resume();
    return goesOn;
  }

  // --- what the client does ---

  data(chunk: Buffer): void {
    const { connection, trace, metrics } = this;
    this.progressed();
    trace.bytesIn += chunk.length;
    metrics.bytesIn.add(chunk.length);
    connection.sendBytes(chunk);
    if (!connection.isBacklogged || this.clientPaused) return;
    this.clientPaused = true;
    this.peer?.pause();
  }

  ended(): void {
    this.clientEnded = true;
    if (!this.upstreamEnded) this.trace.closedBy = 'client';
    this.progressed();
    this.connection.end();
  }

  taken(): void {
    this.progressed();
    if (!this.upstreamPaused) return;
    this.upstreamPaused = false;
    this.connection.lent = false;
    if (this.received()) this.connection.resume();
  }

  leave(): void {
    this.cut('portico', 'stop');
  }

  closed(broken: boolean): void {
    if (this.clientOver) return;
    this.clientOver = true;
    const inOrder = !broken && this.clientEnded && this.upstreamEnded;
    if (inOrder) this.note(this.trace.closedBy, 'end');
    else this.cut('client', 'reset');
    this.metrics.open.add(-1);
    this.metrics.closed(this.trace);
  }

  // --- what the server does ---

  connected(): void {
    // It was, before.
  }

  refused(): void {
    // It was not.
  }

  received(): boolean {
    const { connection, peer, metrics } = this;
    const { parser } = connection;
    this.progressed();
    while (parser.next() === ParserEvent.data) {
      const chunk = parser.data();
      metrics.bytesOut.add(chunk.length);
      if (peer?.write(chunk) !== false) continue;
      // Its memory is the connection's, and the client's socket reads it yet.
      connection.lent = true;
      this.upstreamPaused = true;
      return false;
    }
    return true;
  }

  drained(): void {
    this.progressed();
    if (!this.clientPaused) return;
    this.clientPaused = false;
    this.peer?.resume();
  }

  halfClosed(): void {
    this.upstreamEnded = true;
    if (!this.clientEnded) this.trace.closedBy = 'upstream';
    this.progressed();
    this.peer?.end();
  }

  lost(error: Error | undefined): void {
    this.release();
    if (error === undefined && this.clientEnded && this.upstreamEnded) return;
    this.cut('upstream', 'reset');
  }

  // --- what time, Portico and defects do ---

  expired(): void {
    this.cut('portico', 'idle');
  }

  broke(cause: unknown): void {
    this.context.error ??= new PorticoError('internal', 'a step of a tunnel threw', { cause });
    this.cut('portico', 'defect');
  }

  /** Something has moved. */
  private progressed(): void {
    this.connection.deadlineAt = performance.now() + this.idleTimeoutMs;
  }

  /** Ends both sides, whatever they are doing. */
  private cut(by: TunnelTrace['closedBy'], reason: TunnelTrace['closeReason']): void {
    this.note(by, reason);
    this.connection.cut();
    this.release();
    this.peer?.terminate();
  }

  private note(by: TunnelTrace['closedBy'], reason: TunnelTrace['closeReason']): void {
    if (this.noted) return;
    this.noted = true;
    this.trace.closedBy = by;
    this.trace.closeReason = reason;
  }

  private release(): void {
    if (this.upstreamOver) return;
    this.upstreamOver = true;
    this.released();
  }
}
