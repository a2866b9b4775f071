import type { Socket } from 'node:net';
import { PorticoError } from '../response/portico-error.ts';
import { carriageReturn, lineFeed } from '../upstream/byte-class.ts';
import { ChunkedDecoder } from '../upstream/chunked-decoder.ts';
import { cutSocket } from './cut-socket.ts';
import type { ConnectionInfo } from './exchange.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { Http1HeadScanner, headIncomplete, headTooLarge, headVersionUnknown } from './http1-head-scanner.ts';
import { Http1RequestHead } from './http1-request-head.ts';
import { type BodySource, IncomingBody } from './incoming-body.ts';
import type { NodeEngineCore } from './node-engine-core.ts';
import { SocketPace } from './socket-pace.ts';
import type { Stallable } from './stall-watch.ts';

const State = { head: 0, body: 1, answering: 2, flushing: 3, ending: 4, upgraded: 5, over: 6 } as const;
type State = (typeof State)[keyof typeof State];

/** Bytes of requests sent ahead that are held while one is being answered. */
const aheadBytes = 64 * 1024;
/** How long what a client still sends is thrown away behind the last response, so that it can read that. */
const lingerMs = 5000;
/** Bytes that may wait in the process for the client, before a writer is asked to stop. */
const roomBytes = 64 * 1024;
const continueLine = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');

/**
 * HTTP/1 on one socket: one request after the other, answered in the order of their coming. Reads on while a request is
 * being answered, to notice that the client has gone, but holds only a bounded piece of what is sent ahead.
 */
export class Http1Connection implements Stallable {
  readonly info: ConnectionInfo;
  readonly bodySource: BodySource;
  readonly #core: NodeEngineCore;
  readonly #socket: Socket;
  readonly #scanner: Http1HeadScanner;
  #state: State = State.head;
  /** What was read and belongs to nobody yet. */
  #rest: Buffer | undefined;
  /** Bytes of the head being read that were scanned. */
  #headBytes = 0;
  #requests = 0;
  #exchange: Http1Exchange | undefined;
  #bodyLeft = 0;
  #chunks: ChunkedDecoder | undefined;
  #working = false;
  #bodyPaused = false;
  #halfClosed = false;
  /** Writes under way. */
  #writing = 0;
  /** `performance.now()` when something was written last, or has left. */
  #progressAt = 0;
  readonly #pace: SocketPace;
  /** `performance.now()` up to which the next head may come, or a lingering client may send. */
  #deadlineAt: number;

  constructor(core: NodeEngineCore, socket: Socket, info: ConnectionInfo) {
    this.#core = core;
    this.#socket = socket;
    this.info = info;
    this.#scanner = new Http1HeadScanner(core.names);
    this.#pace = new SocketPace(core, socket);
    this.#deadlineAt = performance.now() + core.requestHeadMs;
    this.bodySource = {
      pause: () => this.#pauseBody(),
      resume: () => this.#resumeBody(),
      begin: () => this.#beginBody(),
    };
  }

  /** Begins to read. */
  start(): void {
    this.#core.connections.add(this);
    this.#core.watch.add(this);
    const socket = this.#socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    // What is wrong shows in `close`, which follows.
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
  }

  /** Whether something was written that has not left the process. */
  get isWriting(): boolean {
    return this.#writing > 0;
  }

  /** @returns whether everything has left already; otherwise the exchange is told `flushed` when it has */
  write(bytes: Uint8Array): boolean {
    if (this.#state === State.over) return true;
    if (this.#writing === 0) this.#progressAt = performance.now();
    this.#writing += 1;
    this.#socket.write(bytes, this.#onWritten);
    // Node tells later of each write; what the kernel took at once is nobody's memory any more.
    const { writableLength, errored, destroyed } = this.#socket;
    return writableLength === 0 && errored === null && !destroyed;
  }

  get hasRoom(): boolean {
    const { writableLength, errored, destroyed } = this.#socket;
    return writableLength < roomBytes && errored === null && !destroyed;
  }

  /** Cuts the connection so that nobody takes what was sent for complete. */
  cut(): void {
    if (this.#state === State.over) return;
    cutSocket(this.#socket);
    this.#leave();
  }

  /** The exchange has ended. */
  exchangeOver(exchange: Http1Exchange): void {
    if (exchange !== this.#exchange || this.#state === State.over || this.#state === State.upgraded) return;
    this.#exchange = undefined;
    const unread = this.#state === State.body;
    const last = this.#halfClosed && this.#rest === undefined;
    if (exchange.closing || unread || last) return this.#end();
    // Where the client has not taken the response yet, it has no next one coming.
    this.#state = this.#socket.writableLength > 0 ? State.flushing : State.head;
    if (this.#state === State.head) this.#awaitHead();
  }

  /** Hands the socket over to another protocol. @returns it, and what was read of that already */
  handOver(): { readonly socket: Socket; readonly rest: Buffer | undefined } {
    this.#state = State.upgraded;
    const socket = this.#socket;
    socket.removeListener('data', this.#onData);
    socket.removeListener('end', this.#onEnd);
    this.#core.watch.delete(this);
    const rest = this.#rest;
    this.#rest = undefined;
    return { socket, rest };
  }

  checkStall(now: number): void {
    if (this.#writing > 0) {
      if (!this.#pace.fails(now, this.#progressAt)) return;
      if (this.#exchange === undefined) this.destroy();
      else this.#exchange.abort();
      return;
    }
    this.#pace.rest();
    const waits = this.#state === State.head || this.#state === State.ending;
    if (!waits || now <= this.#deadlineAt) return;
    if (this.#state === State.head && this.#rest !== undefined) this.#core.cut('head_timeout');
    this.destroy();
  }

  destroy(): void {
    if (this.#state === State.over) return;
    this.#socket.destroy();
    this.#leave();
  }

  // --- what the socket tells ---

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === State.ending || this.#state === State.over) return;
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#work();
  };

  readonly #onEnd = (): void => {
    this.#halfClosed = true;
    const isAnswering = this.#state === State.answering || this.#state === State.flushing;
    // Over TLS nobody ends one side alone: a client that closes has gone, and its request costs the application nothing more.
    if (this.#state === State.ending || (isAnswering && this.info.scheme === 'http')) return;
    // Nothing can complete what is there of a request.
    if (this.#exchange !== undefined) this.#exchange.clientGone();
    this.#end();
  };

  readonly #onClose = (): void => {
    this.#leave();
  };

  readonly #onWritten = (error?: Error | null): void => {
    this.#writing -= 1;
    // What did not leave never will: `close` follows.
    if (error) return;
    this.#progressAt = performance.now();
    if (this.#writing > 0 || this.#state === State.over) return;
    if (this.#exchange !== undefined) this.#exchange.flushed();
    else if (this.#state === State.flushing) {
      this.#state = State.head;
      this.#awaitHead();
      this.#work();
    }
  };

  // --- reading ---

  /** Takes as much of what was read as can be taken now. */
  #work(): void {
    if (this.#working) return;
    this.#working = true;
    try {
      while (this.#rest !== undefined && this.#step(this.#rest));
    } catch (cause) {
      this.#core.report(new PorticoError('internal', 'reading a request has thrown', { cause }));
      this.destroy();
    }
    this.#working = false;
    if (this.#rest !== undefined && this.#state === State.answering && this.#rest.length > aheadBytes)
      this.#socket.pause();
    if (this.#halfClosed && this.#state === State.head) this.#end();
  }

  /** @returns whether something was taken, and more may be */
  #step(bytes: Buffer): boolean {
    switch (this.#state) {
      case State.head:
        return this.#readHead(bytes);
      case State.body:
        return this.#readBody(bytes);
      case State.ending:
        this.#rest = undefined;
        return false;
      default:
        return false;
    }
  }

  #readHead(bytes: Buffer): boolean {
    if (this.#headBytes === 0) this.#deadlineAt = performance.now() + this.#core.requestHeadMs;
    // RFC 9112 section 2.2: an empty line in front of a request is passed over.
    const start = this.#headBytes === 0 && bytes[0] === carriageReturn && bytes[1] === lineFeed ? 2 : 0;
    const position = this.#scanner.scan(bytes, start, bytes.length);
    if (position === headIncomplete) {
      const { consumed } = this.#scanner;
      this.#headBytes += consumed;
      this.#rest = consumed === bytes.length ? undefined : bytes.subarray(consumed);
      if (this.#headBytes + bytes.length - consumed > this.#core.requestHeadBytes) this.#refuseHead(headTooLarge);
      return false;
    }
    if (position < 0 || this.#headBytes + position > this.#core.requestHeadBytes) {
      this.#refuseHead(position < 0 ? position : headTooLarge);
      return false;
    }
    this.#rest = position === bytes.length ? undefined : bytes.subarray(position);
    this.#headBytes = 0;
    const head = new Http1RequestHead(this.#scanner, this.#core.hosts, this.#localHost);
    this.#scanner.reset();
    this.#begin(head);
    return true;
  }

  /** A host for those who name none. */
  readonly #localHost = (): string => {
    const { localAddress = '', localPort = 0 } = this.#socket;
    const host = localAddress.replace(/^::ffff:/i, '');
    return host.includes(':') ? `[${host}]:${localPort}` : `${host}:${localPort}`;
  };

  #begin(head: Http1RequestHead): void {
    const exchange = new Http1Exchange(this.#core, this, head);
    this.#exchange = exchange;
    this.#requests += 1;
    exchange.last = this.#requests >= this.#core.requestsPerConnection;
    if (head.refusal !== undefined) return this.#refuse(exchange, head.refusal);
    this.#state = head.bodyLength === 0 ? State.answering : State.body;
    this.#bodyLeft = head.bodyLength ?? 0;
    if (head.bodyLength === undefined) (this.#chunks ??= new ChunkedDecoder()).reset();
    this.#bodyPaused = false;
    exchange.handling = true;
    this.#core.handle(exchange);
    exchange.handling = false;
    if (exchange.over) this.#core.finish(exchange);
    else if (exchange.body instanceof IncomingBody) exchange.body.awaitMore();
  }

  /** A head that is none: it is answered as a request all the same, so that it is logged and counted. */
  #refuseHead(verdict: number): void {
    this.#rest = undefined;
    this.#scanner.method ||= 'GET';
    this.#scanner.target ||= '/';
    const head = new Http1RequestHead(this.#scanner, this.#core.hosts, this.#localHost);
    const code = verdict === headTooLarge ? 'header_too_large' : 'request_malformed';
    head.refusal = new PorticoError(verdict === headVersionUnknown ? 'http_version' : code, this.#scanner.fault);
    this.#scanner.reset();
    this.#exchange = new Http1Exchange(this.#core, this, head);
    this.#refuse(this.#exchange, head.refusal);
  }

  #refuse(exchange: Http1Exchange, refusal: PorticoError): void {
    this.#state = State.answering;
    this.#rest = undefined;
    exchange.mustClose = true;
    exchange.handling = true;
    this.#core.refuseMalformed(exchange, refusal);
    exchange.handling = false;
    if (exchange.over) this.#core.finish(exchange);
  }

  #readBody(bytes: Buffer): boolean {
    const body = this.#exchange?.body;
    if (!(body instanceof IncomingBody)) return false;
    if (this.#chunks !== undefined && body.declaredLength === undefined)
      return this.#readChunks(bytes, body, this.#chunks);
    const count = Math.min(this.#bodyLeft, bytes.length);
    this.#bodyLeft -= count;
    this.#rest = count === bytes.length ? undefined : bytes.subarray(count);
    if (this.#bodyLeft === 0) this.#state = State.answering;
    this.#give(body, bytes.subarray(0, count), this.#bodyLeft === 0);
    return true;
  }

  #readChunks(bytes: Buffer, body: IncomingBody, chunks: ChunkedDecoder): boolean {
    chunks.decode(bytes, 0, bytes.length);
    const { dataStart, dataEnd, position, done, fault } = chunks;
    this.#rest = position === bytes.length ? undefined : bytes.subarray(position);
    if (done) this.#state = State.answering;
    if (dataEnd > dataStart || done) this.#give(body, bytes.subarray(dataStart, dataEnd), done);
    if (fault === undefined) return true;
    this.#rest = undefined;
    this.#state = State.answering;
    body.refuse(new PorticoError('request_malformed', fault));
    return false;
  }

  #give(body: IncomingBody, piece: Buffer, last: boolean): void {
    this.#exchange?.guard(() => body.receive(piece, last));
  }

  #pauseBody(): void {
    this.#bodyPaused = true;
    this.#socket.pause();
  }

  #resumeBody(): void {
    if (!this.#bodyPaused) return;
    this.#bodyPaused = false;
    this.#socket.resume();
  }

  /** Somebody reads the body: a client that waits for leave to send it gets it. */
  #beginBody(): void {
    const exchange = this.#exchange;
    if (exchange?.head.expectsContinue !== true || this.#state !== State.body || exchange.responded) return;
    if (exchange.body.received === 0) this.write(continueLine);
  }

  // --- the ends ---

  /** Ready for another request. */
  #awaitHead(): void {
    this.#deadlineAt = performance.now() + this.#core.keepAliveMs;
    if (this.#bodyPaused || this.#socket.isPaused()) {
      this.#bodyPaused = false;
      this.#socket.resume();
    }
    // From within `work` its loop goes on.
    if (this.#rest !== undefined && !this.#working) setImmediate(() => this.#work());
  }

  /** Sends what is written, and then nothing more; what the client still sends is thrown away for a while. */
  #end(): void {
    if (this.#state === State.over) return;
    this.#state = State.ending;
    this.#rest = undefined;
    this.#deadlineAt = performance.now() + lingerMs;
    this.#socket.end();
    if (this.#halfClosed) return;
    // Unread bytes would make the kernel reset the connection, and the client lose the response.
    this.#socket.resume();
  }

  #leave(): void {
    if (this.#state === State.over) return;
    this.#state = State.over;
    this.#rest = undefined;
    this.#core.connections.delete(this);
    this.#core.watch.delete(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.clientGone();
  }
}

function ignore(): void {
  // Told by `close`.
}
