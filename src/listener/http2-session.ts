import type { Socket } from 'node:net';
import {
  ErrorCode as Code,
  type ErrorCode,
  Flag,
  FrameType,
  frame,
  frameHeaderBytes,
  goawayFrame,
  maxFrameBytes,
  maxWindow,
  numberFrame,
  preface,
  Setting,
  settingsFrame,
  writeFrameHeader,
} from '../http2/frame.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ConnectionInfo } from './exchange.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { Http2HeaderBlocks } from './http2-header-blocks.ts';
import { Http2RequestHead } from './http2-request-head.ts';
import { Http2Stream } from './http2-stream.ts';
import { IncomingBody } from './incoming-body.ts';
import type { NodeConnection, NodeEngineCore } from './node-engine-core.ts';
import type { Stallable } from './stall-watch.ts';
import { Strain } from './strain.ts';

/** What a client may have under way at once; as NGINX and Apache. */
const maxStreams = 128;
const streamWindow = 256 * 1024;
/** For all bodies of a connection together: what nobody reads is held, and this is its bound. */
const connectionWindow = 1024 * 1024;
const initialWindow = 65_535;
/** Bytes written and not taken by the client's socket, from which on no more of the bodies is sent. */
const backlogBytes = 128 * 1024;
/** How long the last frames may take to leave. */
const lingerMs = 5000;

const nothing = Buffer.alloc(0);
const settingsAck = frame(FrameType.settings, Flag.ack, 0, nothing);

/** What a connection does wrong, for which it ends. */
class ConnectionFault extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

/**
 * One HTTP/2 connection (RFC 9113): reads frames, keeps windows, and sends what streams have in turn. Everything that a
 * client can make it hold is bounded, and what costs more than it is worth strains the connection until it ends.
 */
export class Http2Session implements NodeConnection, Stallable {
  readonly #core: NodeEngineCore;
  readonly #socket: Socket;
  readonly #info: ConnectionInfo;
  readonly #blocks: Http2HeaderBlocks;
  readonly #strain = new Strain();
  readonly #streams = new Map<number, Http2Stream>();
  /** Streams with something pending, in turn. */
  readonly #queue = new Set<Http2Stream>();
  #rest: Buffer | undefined;
  #prefaceSeen = false;
  #settingsSeen = false;
  #lastStream = 0;
  #refusedFrom = maxWindow;
  #sendWindow = initialWindow;
  #initialSendWindow = initialWindow;
  #receiveWindow = connectionWindow;
  #unacknowledged = 0;
  #out: Uint8Array[] = [];
  #outBytes = 0;
  #flushSoon = false;
  #reading = false;
  #writing = 0;
  #progressAt = performance.now();
  #idleSince = performance.now();
  #ending = false;
  #over = false;

  constructor(core: NodeEngineCore, socket: Socket, info: ConnectionInfo) {
    this.#core = core;
    this.#socket = socket;
    this.#info = info;
    this.#blocks = new Http2HeaderBlocks(core.requestHeadBytes);
  }

  start(): void {
    this.#core.connections.add(this);
    this.#core.watch.add(this);
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', ignore);
    socket.on('close', () => this.#leave());
    this.#send(
      settingsFrame([
        [Setting.maxConcurrentStreams, maxStreams],
        [Setting.initialWindowSize, streamWindow],
        [Setting.maxHeaderListSize, this.#core.requestHeadBytes],
        [Setting.enableConnectProtocol, 0],
      ]),
    );
    this.#send(numberFrame(FrameType.windowUpdate, 0, connectionWindow - initialWindow));
  }

  get isWriting(): boolean {
    return this.#writing > 0 || this.#outBytes > 0 || this.#queue.size > 0;
  }

  /** Lets the streams end that there are; a client that has begun another meanwhile may send it elsewhere. */
  drain(): void {
    if (this.#refusedFrom !== maxWindow) return;
    this.#refusedFrom = this.#lastStream;
    this.#send(goawayFrame(this.#lastStream, Code.noError));
    this.#endWhenIdle();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#leave();
  }

  checkStall(now: number): void {
    const { timeouts, keepAliveMs, requestHeadMs } = this.#core;
    if (this.#writing > 0 && now - this.#progressAt > timeouts.sendMs) return this.destroy();
    if (this.#ending) {
      if (now - this.#idleSince > lingerMs) this.destroy();
      return;
    }
    for (const stream of this.#queue) {
      if (now - stream.progressAt <= timeouts.sendMs) continue;
      stream.exchange?.clientGone();
      this.reset(stream, Code.cancel);
    }
    if (this.#streams.size > 0) return;
    // A head that does not come to its end counts as idle too.
    const limit = this.#settingsSeen && !this.#blocks.open ? keepAliveMs : requestHeadMs;
    if (now - this.#idleSince > limit) this.#giveUp(Code.noError);
  }

  // --- what streams ask for ---

  /** Sends a response's head. */
  respond(stream: Http2Stream, block: Uint8Array, endStream: boolean): void {
    if (stream.closed) return;
    const flag = endStream ? Flag.endStream : 0;
    if (block.length <= maxFrameBytes) {
      this.#send(frame(FrameType.headers, flag | Flag.endHeaders, stream.id, block));
    } else {
      for (let start = 0; start < block.length; start += maxFrameBytes) {
        const last = start + maxFrameBytes >= block.length ? Flag.endHeaders : 0;
        const type = start === 0 ? FrameType.headers : FrameType.continuation;
        const flags = last | (start === 0 ? flag : 0);
        this.#send(frame(type, flags, stream.id, block.subarray(start, start + maxFrameBytes)));
      }
    }
    if (endStream) this.#localEnd(stream);
  }

  /**
   * Sends as much as the windows and the socket allow; keeps a copy of the rest.
   * @param endStream whether the stream ends behind it
   * @returns whether all of it has left; otherwise the exchange is told `flushed` when it has
   */
  sendData(stream: Http2Stream, bytes: Uint8Array, endStream: boolean): boolean {
    if (stream.closed) return true;
    const sent = this.#sendFrames(stream, bytes, endStream);
    if (sent === bytes.length && (stream.localEnded || !endStream)) {
      if (!this.#isBacklogged || endStream) return true;
      stream.pending = undefined;
    } else {
      stream.pending = Buffer.from(bytes.subarray(sent));
      stream.endsBehindPending = endStream;
    }
    stream.progressAt = performance.now();
    stream.waiting = true;
    this.#queue.add(stream);
    return false;
  }

  sendContinue(stream: Http2Stream): void {
    if (!stream.closed) this.#send(frame(FrameType.headers, Flag.endHeaders, stream.id, this.#blocks.continueBlock));
  }

  /** Ends a stream before its time. */
  reset(stream: Http2Stream, code: ErrorCode): void {
    if (stream.closed) return;
    this.#send(numberFrame(FrameType.rstStream, stream.id, code));
    this.#close(stream);
  }

  /** The client has sent nothing that anybody still wants of a request that is answered. */
  stopReceiving(stream: Http2Stream): void {
    if (!stream.closed && !stream.remoteEnded && stream.localEnded) this.reset(stream, Code.noError);
  }

  /** Gives the client back the room of what was received. @param all also small amounts */
  acknowledge(stream: Http2Stream, all: boolean): void {
    if (stream.closed || stream.paused) return;
    const count = stream.unacknowledged;
    if (count === 0 || (!all && count < streamWindow / 4)) return;
    stream.unacknowledged = 0;
    this.#acknowledgeConnection(count);
    if (stream.remoteEnded) return;
    stream.receiveWindow += count;
    this.#send(numberFrame(FrameType.windowUpdate, stream.id, count));
  }

  #acknowledgeConnection(count: number): void {
    this.#unacknowledged += count;
    if (this.#unacknowledged < connectionWindow / 4) return;
    this.#receiveWindow += this.#unacknowledged;
    this.#send(numberFrame(FrameType.windowUpdate, 0, this.#unacknowledged));
    this.#unacknowledged = 0;
  }

  // --- reading ---

  #receive(chunk: Buffer): void {
    if (this.#ending || this.#over) return;
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    this.#reading = true;
    try {
      const position = this.#readFrames(bytes);
      if (position < bytes.length) this.#rest = bytes.subarray(position);
    } catch (fault) {
      this.#rest = undefined;
      if (!(fault instanceof ConnectionFault)) {
        this.#core.report(new PorticoError('internal', 'reading HTTP/2 has thrown', { cause: fault }));
      }
      this.#giveUp(fault instanceof ConnectionFault ? fault.code : Code.internalError);
    }
    this.#reading = false;
    this.#flush();
  }

  #readFrames(bytes: Buffer): number {
    let position = this.#readPreface(bytes);
    while (bytes.length - position >= frameHeaderBytes && !this.#ending && !this.#over) {
      const length = bytes.readUIntBE(position, 3);
      if (length > maxFrameBytes) throw new ConnectionFault(Code.frameSizeError, 'a frame larger than announced');
      const start = position + frameHeaderBytes;
      if (bytes.length < start + length) break;
      const type = bytes[position + 3] as number;
      const stream = bytes.readUInt32BE(position + 5) & maxWindow;
      this.#readFrame(type, bytes[position + 4] as number, stream, bytes.subarray(start, start + length));
      position = start + length;
    }
    return position;
  }

  #readPreface(bytes: Buffer): number {
    if (this.#prefaceSeen) return 0;
    const count = Math.min(bytes.length, preface.length);
    if (!bytes.subarray(0, count).equals(preface.subarray(0, count))) {
      throw new ConnectionFault(Code.protocolError, 'not the preface of HTTP/2');
    }
    if (count < preface.length) return 0;
    this.#prefaceSeen = true;
    return count;
  }

  #readFrame(type: number, flags: number, id: number, payload: Buffer): void {
    if (!this.#settingsSeen && type !== FrameType.settings) protocolError('a frame before SETTINGS');
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
        if (payload.length !== 5) throw new ConnectionFault(Code.frameSizeError, 'PRIORITY of a wrong size');
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
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0)
      throw new ConnectionFault(Code.flowControlError, 'more than the window of the connection');
    if (stream === undefined || stream.remoteEnded) {
      // It was on its way when the stream was reset: it counts, and is not wanted.
      this.#acknowledgeConnection(payload.length);
      this.#strained(1);
      if (stream !== undefined) this.reset(stream, Code.streamClosed);
      return;
    }
    const data = unpadded(flags, payload);
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) {
      this.#acknowledgeConnection(payload.length);
      stream.exchange?.clientGone();
      return this.reset(stream, Code.flowControlError);
    }
    const last = (flags & Flag.endStream) !== 0;
    if (data.length === 0 && !last) this.#strained(2);
    stream.unacknowledged += payload.length;
    this.#deliver(stream, data, last);
    this.acknowledge(stream, false);
  }

  #deliver(stream: Http2Stream, data: Buffer, last: boolean): void {
    const { exchange } = stream;
    if (exchange === undefined) return;
    stream.received += data.length;
    if (last) stream.remoteEnded = true;
    const { body } = exchange;
    if (!(body instanceof IncomingBody)) {
      if (stream.received > 0) this.reset(stream, Code.protocolError);
      return;
    }
    const { declaredLength } = body;
    const wrong =
      declaredLength !== undefined && (stream.received > declaredLength || (last && stream.received < declaredLength));
    if (wrong)
      return body.refuse(new PorticoError('request_malformed', 'a body of another length than Content-Length'));
    exchange.guard(() => body.receive(data, last));
    if (last && stream.localEnded) this.#close(stream);
  }

  #readHeaders(flags: number, id: number, payload: Buffer): void {
    if (id % 2 === 0) protocolError('HEADERS on a stream of the server');
    const known = this.#streams.get(id);
    if (id <= this.#lastStream && known === undefined) {
      // A closed stream: the block is decoded all the same, as the table must stay in step.
      this.#strained(5);
    }
    if (id > this.#lastStream) {
      this.#lastStream = id;
      this.#idleSince = performance.now();
    }
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
    if (this.#blocks.isStale(id)) return this.#send(numberFrame(FrameType.rstStream, id, Code.streamClosed));
    if (id > this.#refusedFrom || this.#streams.size >= maxStreams) {
      this.#strained(5);
      return this.#send(numberFrame(FrameType.rstStream, id, Code.refusedStream));
    }
    this.#open(id, endStream, verdict === 'too-large');
  }

  #trailers(stream: Http2Stream, endStream: boolean): void {
    // RFC 9113 section 8.1: trailers end the request. They are dropped, as those of HTTP/1.1 are.
    if (stream.remoteEnded || !endStream) {
      stream.exchange?.clientGone();
      return this.reset(stream, stream.remoteEnded ? Code.streamClosed : Code.protocolError);
    }
    this.#deliver(stream, nothing, true);
  }

  #open(id: number, endStream: boolean, tooLarge: boolean): void {
    const head = new Http2RequestHead(this.#blocks.fields, this.#info.scheme, endStream);
    if (tooLarge) head.refusal = new PorticoError('header_too_large', 'a header list larger than announced');
    const stream = new Http2Stream(id, this, this.#initialSendWindow, streamWindow);
    stream.remoteEnded = endStream;
    this.#streams.set(id, stream);
    const exchange = new Http2Exchange(this.#core, stream, head, this.#info);
    stream.exchange = exchange;
    exchange.handling = true;
    if (head.refusal === undefined) this.#core.handle(exchange);
    else {
      exchange.mustClose = true;
      this.#core.refuseMalformed(exchange, head.refusal);
    }
    exchange.handling = false;
    if (exchange.over) this.#core.finish(exchange);
  }

  #readReset(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionFault(Code.frameSizeError, 'RST_STREAM of a wrong size');
    if (id === 0 || id > this.#lastStream) protocolError('RST_STREAM on a stream that is not open');
    // Requests that are taken back as fast as they are made cost the upstream as much as others (CVE-2023-44487).
    this.#strained(5);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.exchange?.clientGone();
    this.#close(stream);
  }

  #readSettings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) protocolError('SETTINGS on a stream');
    this.#settingsSeen = true;
    if ((flags & Flag.ack) !== 0) {
      if (payload.length > 0) throw new ConnectionFault(Code.frameSizeError, 'an acknowledgement with settings');
      return;
    }
    if (payload.length % 6 !== 0) throw new ConnectionFault(Code.frameSizeError, 'SETTINGS of a wrong size');
    this.#strained(5 + payload.length / 6);
    for (let at = 0; at < payload.length; at += 6)
      this.#setting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.#send(settingsAck);
  }

  #setting(id: number, value: number): void {
    if (id === Setting.enablePush && value > 1) protocolError('ENABLE_PUSH that is neither 0 nor 1');
    if (id === Setting.maxFrameSize && (value < maxFrameBytes || value > 0xffffff))
      protocolError('a wrong MAX_FRAME_SIZE');
    if (id !== Setting.initialWindowSize) return;
    if (value > maxWindow) throw new ConnectionFault(Code.flowControlError, 'a window too large');
    const change = value - this.#initialSendWindow;
    this.#initialSendWindow = value;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maxWindow) throw new ConnectionFault(Code.flowControlError, 'a window too large');
    }
    if (change > 0) this.#pump();
  }

  #readPing(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) protocolError('PING on a stream');
    if (payload.length !== 8) throw new ConnectionFault(Code.frameSizeError, 'PING of a wrong size');
    if ((flags & Flag.ack) !== 0) return;
    this.#strained(5);
    this.#send(frame(FrameType.ping, Flag.ack, 0, payload));
  }

  #readWindowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionFault(Code.frameSizeError, 'WINDOW_UPDATE of a wrong size');
    const count = payload.readUInt32BE(0) & maxWindow;
    this.#strained(0.1);
    if (id === 0) {
      if (count === 0) protocolError('WINDOW_UPDATE of nothing');
      this.#sendWindow += count;
      if (this.#sendWindow > maxWindow) throw new ConnectionFault(Code.flowControlError, 'a window too large');
    } else {
      if (id > this.#lastStream) protocolError('WINDOW_UPDATE on a stream that is not open');
      const stream = this.#streams.get(id);
      if (stream === undefined) return;
      stream.sendWindow += count;
      if (count === 0 || stream.sendWindow > maxWindow) {
        stream.exchange?.clientGone();
        return this.reset(stream, count === 0 ? Code.protocolError : Code.flowControlError);
      }
    }
    this.#pump();
  }

  #strained(weight: number): void {
    if (!this.#strain.add(weight)) throw new ConnectionFault(Code.enhanceYourCalm, 'too much that is worth nothing');
  }

  // --- sending ---

  get #isBacklogged(): boolean {
    return this.#outBytes + this.#socket.writableLength > backlogBytes;
  }

  /** @returns bytes sent */
  #sendFrames(stream: Http2Stream, bytes: Uint8Array, endStream: boolean): number {
    let sent = 0;
    do {
      const room = Math.min(this.#sendWindow, stream.sendWindow, maxFrameBytes);
      const count = Math.min(room, bytes.length - sent);
      if (bytes.length > sent && (count <= 0 || this.#isBacklogged)) return sent;
      const last = endStream && sent + count === bytes.length;
      const data = Buffer.allocUnsafe(frameHeaderBytes + count);
      writeFrameHeader(data, 0, count, FrameType.data, last ? Flag.endStream : 0, stream.id);
      data.set(bytes.subarray(sent, sent + count), frameHeaderBytes);
      this.#send(data);
      this.#sendWindow -= count;
      stream.sendWindow -= count;
      sent += count;
      if (last) this.#localEnd(stream);
    } while (sent < bytes.length);
    return sent;
  }

  /** Sends what streams have pending, a frame of each in turn, as far as windows and socket allow. */
  #pump(): void {
    let progressed = true;
    while (progressed && this.#queue.size > 0 && !this.#isBacklogged && !this.#over) {
      progressed = false;
      for (const stream of [...this.#queue]) if (this.#pumpStream(stream)) progressed = true;
    }
    this.#flushLater();
  }

  #pumpStream(stream: Http2Stream): boolean {
    if (stream.closed || this.#isBacklogged) return false;
    const { pending } = stream;
    if (pending !== undefined) {
      const piece = pending.length <= maxFrameBytes ? pending : pending.subarray(0, maxFrameBytes);
      const sent = this.#sendFrames(stream, piece, stream.endsBehindPending && piece === pending);
      if (sent === 0 && piece.length > 0) return false;
      stream.progressAt = performance.now();
      stream.pending = sent === pending.length ? undefined : pending.subarray(sent);
      if (stream.pending !== undefined) return true;
    }
    this.#queue.delete(stream);
    stream.waiting = false;
    stream.exchange?.flushed();
    return true;
  }

  #send(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#out.push(bytes);
    this.#outBytes += bytes.length;
    this.#flushLater();
  }

  /** Everything that is sent in one turn goes out in one write. */
  #flushLater(): void {
    if (this.#reading || this.#flushSoon || this.#outBytes === 0) return;
    this.#flushSoon = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushSoon = false;
    if (this.#outBytes === 0 || this.#over) return;
    const bytes = this.#out.length === 1 ? (this.#out[0] as Uint8Array) : Buffer.concat(this.#out);
    this.#out = [];
    this.#outBytes = 0;
    if (this.#writing === 0) this.#progressAt = performance.now();
    this.#writing += 1;
    this.#socket.write(bytes, this.#onWritten);
  };

  readonly #onWritten = (error?: Error | null): void => {
    this.#writing -= 1;
    if (error || this.#over) return;
    this.#progressAt = performance.now();
    if (this.#queue.size > 0) this.#pump();
  };

  // --- the ends ---

  #localEnd(stream: Http2Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.#close(stream);
  }

  #close(stream: Http2Stream): void {
    if (stream.closed) return;
    stream.closed = true;
    stream.pending = undefined;
    // What it held of the connection's window is free.
    if (stream.unacknowledged > 0) this.#acknowledgeConnection(stream.unacknowledged);
    this.#queue.delete(stream);
    this.#streams.delete(stream.id);
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
    this.#send(goawayFrame(this.#lastStream, code));
    for (const stream of [...this.#streams.values()]) {
      stream.exchange?.clientGone();
      this.#close(stream);
    }
    this.#end();
  }

  #end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    this.#idleSince = performance.now();
    for (const stream of [...this.#streams.values()]) stream.exchange?.clientGone();
    this.#flush();
    this.#socket.end();
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#core.connections.delete(this);
    this.#core.watch.delete(this);
    this.#queue.clear();
    for (const stream of [...this.#streams.values()]) {
      stream.closed = true;
      stream.exchange?.clientGone();
    }
    this.#streams.clear();
  }
}

/** Without its padding (RFC 9113 section 6.1). */
function unpadded(flags: number, payload: Buffer): Buffer {
  if ((flags & Flag.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) return protocolError('padding larger than the frame');
  return payload.subarray(1, payload.length - padding);
}

/** Without the priority, which RFC 9113 section 5.3 has given up. */
function unprioritised(flags: number, payload: Buffer): Buffer {
  if ((flags & Flag.priority) === 0) return payload;
  if (payload.length < 5) throw new ConnectionFault(Code.frameSizeError, 'HEADERS of a wrong size');
  return payload.subarray(5);
}

function protocolError(detail: string): never {
  throw new ConnectionFault(Code.protocolError, detail);
}

function ignore(): void {
  // `close` follows.
}
