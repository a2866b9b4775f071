import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { ConnectionInfo } from './exchange.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { Http2RequestHead } from './http2-request-head.ts';
import type { NodeEngineCore } from './node-engine-core.ts';

/** What a client may have under way at once; as NGINX and Apache. */
const maxStreams = 128;
const windowBytes = 256 * 1024;
/** Streams that a client may reset before they were answered, in a row and then a second: a browser that stops loading resets dozens. */
const resetBurst = 200;
const resetsPerSecond = 20;

/** One HTTP/2 connection: its streams are exchanges. */
export class NodeHttp2Session {
  readonly #core: NodeEngineCore;
  readonly #session: ServerHttp2Session;
  readonly #info: ConnectionInfo;
  #resets = 0;
  #resetsSince = performance.now();

  constructor(core: NodeEngineCore, socket: Duplex, info: ConnectionInfo) {
    this.#core = core;
    this.#info = info;
    this.#session = performServerHandshake(socket, sessionOptions(core));
  }

  start(): void {
    const session = this.#session;
    this.#core.connections.add(this);
    session.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, flags: number, raw: string[]) =>
      this.#receive(stream, flags, raw),
    );
    session.setTimeout(this.#core.keepAliveMs, () => this.#idle());
    session.on('error', ignore);
    session.on('close', () => this.#core.connections.delete(this));
  }

  get isWriting(): boolean {
    return false;
  }

  /** Lets the streams end that there are, and takes no more. */
  drain(): void {
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  #receive(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    const endsAtOnce = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const head = new Http2RequestHead(raw, this.#info.scheme, endsAtOnce);
    const exchange = new Http2Exchange(this.#core, stream, head, this.#info);
    stream.once('aborted', () => this.#wasReset());
    exchange.handling = true;
    if (head.refusal === undefined) this.#core.handle(exchange);
    else {
      exchange.mustClose = true;
      this.#core.refuseMalformed(exchange, head.refusal);
    }
    exchange.handling = false;
    if (exchange.over) this.#core.finish(exchange);
  }

  /** Requests that are taken back as fast as they are made cost the upstream as much as others (CVE-2023-44487). */
  #wasReset(): void {
    const now = performance.now();
    this.#resets = Math.max(0, this.#resets - ((now - this.#resetsSince) / 1000) * resetsPerSecond) + 1;
    this.#resetsSince = now;
    if (this.#resets <= resetBurst) return;
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#session.destroy();
  }

  #idle(): void {
    this.#session.close();
  }
}

function sessionOptions(core: NodeEngineCore): ServerOptions {
  return {
    maxSessionMemory: 4,
    maxHeaderListPairs: 128,
    maxOutstandingPings: 5,
    maxSettings: 16,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    unknownProtocolTimeout: 10_000,
    settings: {
      enablePush: false,
      maxConcurrentStreams: maxStreams,
      initialWindowSize: windowBytes,
      maxHeaderListSize: core.requestHeadBytes,
    },
  };
}

function ignore(): void {
  // `close` follows.
}
