import type { Socket } from 'node:net';
import { ErrorCode as Code, type ErrorCode, Flag, FrameType, frame, goawayFrame, maxWindow } from '../http2/frame.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ConnectionInfo } from './exchange.ts';
import { ConnectionFault, type FrameTaker, Http2FrameReader } from './http2-frame-reader.ts';
import { greeting } from './http2-greeting.ts';
import { Http2HeaderBlocks } from './http2-header-blocks.ts';
import { Http2Output } from './http2-output.ts';
import { checkSize, protocolError, readInitialWindows, unpadded, unprioritised } from './http2-payload.ts';
import { Http2ReceiveWindow, streamWindow } from './http2-receive-window.ts';
import { beginRequest, receiveBody } from './http2-requests.ts';
import { Http2Stream } from './http2-stream.ts';
import type { NodeConnection, NodeEngineCore } from './node-engine-core.ts';
import { SocketPace } from './socket-pace.ts';
import type { Stallable } from './stall-watch.ts';
import { Strain } from './strain.ts';

/** What a request that is taken back strains. */
const resetWeight = 5;
/** How long the last frames may take to leave. */
const lingerMs = 5000;

const nothing = Buffer.alloc(0);
const settingsAck = frame(FrameType.settings, Flag.ack, 0, nothing);

/**
 * One HTTP/2 connection (RFC 9113): reads frames, keeps windows, and sends what streams have in turn. Everything that a
 * client can make it hold is bounded, and what costs more than it is worth strains the connection until it ends.
 */
export class Http2Session implements NodeConnection, Stallable, FrameTaker {
  readonly #core: NodeEngineCore;
  readonly #socket: Socket;
  readonly #info: ConnectionInfo;
  readonly #blocks: Http2HeaderBlocks;
  readonly #strain: Strain;
  readonly #pace: SocketPace;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #reader = new Http2FrameReader(this);
  readonly output: Http2Output;
  readonly window: Http2ReceiveWindow;
  #lastStream = 0;
  #refusedFrom = maxWindow;
  #idleSince = performance.now();
  #ending = false;
  #over = false;

  constructor(core: NodeEngineCore, socket: Socket, info: ConnectionInfo) {
    this.#core = core;
    this.#socket = socket;
    this.#info = info;
    this.#blocks = new Http2HeaderBlocks(core.requestHeadBytes);
    this.#strain = new Strain(core.http2Resets * resetWeight);
    this.#pace = new SocketPace(core, socket);
    this.output = new Http2Output(socket, (stream) => this.#localEnd(stream));
    this.window = new Http2ReceiveWindow(this.output);
  }

  start(): void {
    this.#core.connections.add(this);
    this.#core.watch.add(this);
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', ignore);
    socket.on('close', () => this.#leave());
    this.output.send(greeting(this.#core.http2Streams, this.#core.requestHeadBytes));
  }

  get isWriting(): boolean {
    return this.output.isWriting;
  }

  get reading(): boolean {
    return !this.#ending && !this.#over;
  }

  /** Lets the streams end that there are; a client that has begun another meanwhile may send it elsewhere. */
  drain(): void {
    if (this.#refusedFrom !== maxWindow) return;
    this.#refusedFrom = this.#lastStream;
    this.output.send(goawayFrame(this.#lastStream, Code.noError));
    this.#endWhenIdle();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#leave();
  }

  checkStall(now: number): void {
    const { keepAliveMs, requestHeadMs } = this.#core;
    const { output } = this;
    if (!output.isWriting || output.servesTunnels) this.#pace.rest();
    if (output.isWriting && this.#pace.fails(now, output.awaitsSocket ? output.progressAt : now)) return this.destroy();
    if (this.#ending) {
      if (now - this.#idleSince > lingerMs) this.destroy();
      return;
    }
    for (const stream of output.queued) {
      // Whoever speaks on a tunnel has a clock of their own.
      if (stream.tunnel?.isOpen === true || now - stream.progressAt <= this.#core.timeouts.sendMs) continue;
      this.#core.cut('send_timeout');
      this.#fail(stream, Code.cancel);
    }
    if (this.#streams.size > 0) return;
    // A head that does not come to its end counts as idle too.
    const isIdle = this.#reader.greeted && !this.#blocks.open;
    if (now - this.#idleSince <= (isIdle ? keepAliveMs : requestHeadMs)) return;
    if (!isIdle) this.#core.cut('head_timeout');
    this.#giveUp(Code.noError);
  }

  // --- what streams ask for ---

  sendContinue(stream: Http2Stream): void {
    if (!stream.closed)
      this.output.send(frame(FrameType.headers, Flag.endHeaders, stream.id, this.#blocks.continueBlock));
  }

  /** Ends a stream before its time. */
  reset(stream: Http2Stream, code: ErrorCode): void {
    if (stream.closed) return;
    this.output.reset(stream.id, code);
    this.#close(stream);
  }

  /** The client has sent nothing that anybody still wants of a request that is answered. */
  stopReceiving(stream: Http2Stream): void {
    if (!stream.closed && !stream.remoteEnded && stream.localEnded) this.reset(stream, Code.noError);
  }

  // --- reading ---

  #receive(chunk: Buffer): void {
    if (!this.reading) return;
    this.output.hold();
    try {
      this.#reader.read(chunk);
    } catch (fault) {
      if (!(fault instanceof ConnectionFault)) {
        this.#core.report(new PorticoError('internal', 'reading HTTP/2 has thrown', { cause: fault }));
      }
      const code = fault instanceof ConnectionFault ? fault.code : Code.internalError;
      this.#core.cut(code === Code.enhanceYourCalm ? 'http2_flood' : 'http2_error');
      this.#giveUp(code);
    }
    this.output.release();
  }

  frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#blocks.open && (type !== FrameType.continuation || id !== this.#blocks.stream)) {
      protocolError('a frame within a header block');
    }
    switch (type) {
      case FrameType.data:
        return this.#readData(flags, id, payload);
      case FrameType.headers:
        return this.#readHeaders(flags, id, payload);
      case FrameType.continuation:
        return this.#readContinuation(flags, payload);
      case FrameType.priority:
        if (id === 0) protocolError('PRIORITY without a stream');
        checkSize(payload, 5, 'PRIORITY');
        return this.#strained(1);
      case FrameType.rstStream:
        return this.#readReset(id, payload);
      case FrameType.settings:
        return this.#readSettings(flags, id, payload);
      case FrameType.pushPromise:
        return protocolError('PUSH_PROMISE from a client');
      case FrameType.ping:
        return this.#readPing(flags, id, payload);
      case FrameType.goaway:
        if (id !== 0 || payload.length < 8) protocolError('a GOAWAY that is none');
        return this.#endWhenIdle();
      case FrameType.windowUpdate:
        return this.#readWindowUpdate(id, payload);
      default:
        // RFC 9113 section 5.5: unknown types are passed over.
        this.#strained(1);
    }
  }

  #readData(flags: number, id: number, payload: Buffer): void {
    const stream = this.#streams.get(id);
    if (id === 0 || id > this.#lastStream) protocolError('DATA on a stream that is not open');
    this.window.take(payload.length);
    if (stream === undefined || stream.remoteEnded) {
      // It was on its way when the stream was reset: it counts, and is not wanted.
      this.window.acknowledge(payload.length);
      this.#strained(1);
      if (stream !== undefined) this.reset(stream, Code.streamClosed);
      return;
    }
    const data = unpadded(flags, payload);
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) {
      this.window.acknowledge(payload.length);
      return this.#fail(stream, Code.flowControlError);
    }
    const last = (flags & Flag.endStream) !== 0;
    if (data.length === 0 && !last) this.#strained(2);
    stream.unacknowledged += payload.length;
    stream.held += payload.length;
    receiveBody(stream, data, last);
    if (last && stream.localEnded) this.#close(stream);
    this.window.acknowledgeStream(stream, false);
  }

  #readHeaders(flags: number, id: number, payload: Buffer): void {
    if (id % 2 === 0) protocolError('HEADERS on a stream of the server');
    const known = this.#streams.get(id);
    if (id <= this.#lastStream && known === undefined) {
      // A closed stream: the block is decoded all the same, as the table must stay in step.
      this.#strained(5);
    }
    if (id > this.#lastStream) this.#idleSince = performance.now();
    this.#lastStream = Math.max(this.#lastStream, id);
    const fragment = unprioritised(flags, unpadded(flags, payload));
    this.#blocks.begin(id, (flags & Flag.endStream) !== 0, fragment);
    if ((flags & Flag.endHeaders) !== 0) this.#headersEnd();
  }

  #readContinuation(flags: number, payload: Buffer): void {
    if (!this.#blocks.open) protocolError('CONTINUATION without HEADERS');
    this.#strained(payload.length === 0 ? 20 : 2);
    if (!this.#blocks.append(payload)) throw new ConnectionFault(Code.enhanceYourCalm, 'a header block without an end');
    if ((flags & Flag.endHeaders) !== 0) this.#headersEnd();
  }

  #headersEnd(): void {
    const { stream: id, endStream } = this.#blocks;
    const verdict = this.#blocks.decode();
    if (verdict === 'compression') throw new ConnectionFault(Code.compressionError, 'a block that cannot be decoded');
    const known = this.#streams.get(id);
    if (known !== undefined) return this.#trailers(known, endStream);
    if (this.#blocks.isStale(id)) return this.output.reset(id, Code.streamClosed);
    if (id > this.#refusedFrom || this.#streams.size >= this.#core.http2Streams) {
      this.#strained(5);
      return this.output.reset(id, Code.refusedStream);
    }
    this.#open(id, endStream, verdict === 'too-large');
  }

  #trailers(stream: Http2Stream, endStream: boolean): void {
    // RFC 9113 section 8.1: trailers end the request. They are dropped, as those of HTTP/1.1 are.
    if (stream.remoteEnded || !endStream) {
      return this.#fail(stream, stream.remoteEnded ? Code.streamClosed : Code.protocolError);
    }
    receiveBody(stream, nothing, true);
    if (stream.localEnded) this.#close(stream);
  }

  #open(id: number, endStream: boolean, tooLarge: boolean): void {
    const stream = new Http2Stream(id, this, this.output.streamWindow, streamWindow);
    stream.remoteEnded = endStream;
    this.#streams.set(id, stream);
    beginRequest(this.#core, this.#info, stream, this.#blocks.fields, tooLarge);
  }

  #readReset(id: number, payload: Buffer): void {
    checkSize(payload, 4, 'RST_STREAM');
    if (id === 0 || id > this.#lastStream) protocolError('RST_STREAM on a stream that is not open');
    // Requests that are taken back as fast as they are made cost the upstream as much as others (CVE-2023-44487).
    this.#strained(resetWeight);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.exchange?.clientGone();
    this.#close(stream);
  }

  #readSettings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) protocolError('SETTINGS on a stream');
    if ((flags & Flag.ack) !== 0) {
      if (payload.length > 0) throw new ConnectionFault(Code.frameSizeError, 'an acknowledgement with settings');
      return;
    }
    const windows = readInitialWindows(payload);
    this.#strained(5 + payload.length / 6);
    for (const value of windows) this.#setInitialWindow(value);
    this.output.send(settingsAck);
  }

  #setInitialWindow(value: number): void {
    const change = value - this.output.streamWindow;
    this.output.streamWindow = value;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maxWindow) throw new ConnectionFault(Code.flowControlError, 'a window too large');
    }
    if (change > 0) this.output.pump();
  }

  #readPing(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) protocolError('PING on a stream');
    checkSize(payload, 8, 'PING');
    if ((flags & Flag.ack) !== 0) return;
    this.#strained(5);
    this.output.send(frame(FrameType.ping, Flag.ack, 0, payload));
  }

  #readWindowUpdate(id: number, payload: Buffer): void {
    checkSize(payload, 4, 'WINDOW_UPDATE');
    const count = payload.readUInt32BE(0) & maxWindow;
    this.#strained(0.1);
    if (id === 0) {
      if (count === 0) protocolError('WINDOW_UPDATE of nothing');
      if (!this.output.widen(count)) throw new ConnectionFault(Code.flowControlError, 'a window too large');
    } else {
      if (id > this.#lastStream) protocolError('WINDOW_UPDATE on a stream that is not open');
      const stream = this.#streams.get(id);
      if (stream === undefined) return;
      stream.sendWindow += count;
      if (count === 0 || stream.sendWindow > maxWindow) {
        return this.#fail(stream, count === 0 ? Code.protocolError : Code.flowControlError);
      }
    }
    this.output.pump();
  }

  #strained(weight: number): void {
    if (!this.#strain.add(weight)) throw new ConnectionFault(Code.enhanceYourCalm, 'too much that is worth nothing');
  }

  // --- the ends ---

  /** The client has broken the rules of a stream, or does not take it. */
  #fail(stream: Http2Stream, code: ErrorCode): void {
    stream.exchange?.clientGone();
    this.reset(stream, code);
  }

  #localEnd(stream: Http2Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.#close(stream);
  }

  #close(stream: Http2Stream): void {
    if (stream.closed) return;
    stream.closed = true;
    this.output.drop(stream);
    // What it held of the connection's window is free.
    this.window.release(stream);
    this.#streams.delete(stream.id);
    if (!stream.localEnded || !stream.remoteEnded) stream.tunnel?.destroy();
    if (this.#streams.size > 0) return;
    this.#idleSince = performance.now();
    if (this.#refusedFrom !== maxWindow) this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    this.#refusedFrom = Math.min(this.#refusedFrom, this.#lastStream);
    if (this.#streams.size === 0) this.#end();
  }

  /** Says why, and ends. */
  #giveUp(code: ErrorCode): void {
    if (this.#ending || this.#over) return;
    this.output.send(goawayFrame(this.#lastStream, code));
    this.#end();
  }

  #end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    this.#idleSince = performance.now();
    for (const stream of this.#streams.values()) {
      stream.exchange?.clientGone();
      this.#close(stream);
    }
    this.output.release();
    this.#socket.end();
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#core.connections.delete(this);
    this.#core.watch.delete(this);
    this.output.close();
    for (const stream of this.#streams.values()) {
      stream.closed = true;
      stream.exchange?.clientGone();
      stream.tunnel?.destroy();
    }
    this.#streams.clear();
  }
}

/** `close` follows. */
function ignore(): void {}
