import type { ByteSink } from './body-writer.ts';
import type { Http2Exchange } from './http2-exchange.ts';
import type { Http2Session } from './http2-session.ts';
import type { Http2Tunnel } from './http2-tunnel.ts';
import type { BodySource } from './incoming-body.ts';

/** One stream of an HTTP/2 connection: its windows, and what waits to be sent on it. */
export class Http2Stream implements ByteSink, BodySource {
  readonly id: number;
  readonly session: Http2Session;
  exchange: Http2Exchange | undefined;
  /** Where the client wants to speak another protocol on the stream. */
  tunnel: Http2Tunnel | undefined;
  /** Bytes that the client takes. Negative when it has made its windows smaller meanwhile. */
  sendWindow: number;
  /** Bytes that the client may send. */
  receiveWindow: number;
  /** Bytes of body that came. */
  received = 0;
  /** Bytes received of which the client was not told that the stream has room for as many again. */
  unacknowledged = 0;
  /** Bytes received that nobody has taken: they count against the window of the connection. */
  held = 0;
  paused = false;
  /** Whether the client has ended its side. */
  remoteEnded = false;
  /** Whether the end of the response was sent. */
  localEnded = false;
  closed = false;
  /** What the client's windows had no room for, in memory of its own. */
  pending: Buffer | undefined;
  /** Whether the stream ends behind what is pending. */
  endsBehindPending = false;
  /** `performance.now()` when something was sent last, or began to wait. */
  progressAt = 0;

  constructor(id: number, session: Http2Session, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.session = session;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  /** What is not taken is pending, of which there is one piece. */
  readonly hasRoom = false;

  write(bytes: Uint8Array): boolean {
    return this.session.output.data(this, bytes, false);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.session.window.acknowledgeStream(this, true);
  }

  /** Everything that was written has left. */
  flushed(): void {
    if (this.tunnel?.isOpen === true) this.tunnel.flushed();
    else this.exchange?.flushed();
  }

  begin(): void {
    const { exchange } = this;
    if (exchange?.head.expectsContinue === true && this.received === 0) this.session.sendContinue(this);
  }
}
