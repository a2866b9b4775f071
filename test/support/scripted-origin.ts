import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { ServerConfig } from '../../src/config/config.ts';
import { secureOrigins } from './secure-origins.ts';
import { serverConfig } from './server-config.ts';

/** A request as an origin read it off the wire. */
export interface OriginRequest {
  /** Request line and fields, without the empty line. */
  readonly head: string;
  readonly body: Buffer;
  /** Which request of its connection it is, from 0. */
  readonly index: number;
}

/** What an origin does with each request: writes to the socket whatever it likes. */
export type OriginScript = (socket: Socket, request: OriginRequest) => void;

export interface OriginOptions {
  /** Calls the script when the head is there; the body is left to `onConnection` or to nobody. */
  readonly ignoreBody?: boolean;
  /** Gets each connection before anything is read. Returning true keeps the requests from being parsed. */
  readonly onConnection?: (socket: Socket) => boolean | undefined;
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  /** Speaks TLS. */
  readonly tls?: TlsOptions | undefined;
}

/** An application server whose bytes a test dictates, so that it can misbehave in every way. */
export class ScriptedOrigin {
  readonly requests: OriginRequest[] = [];
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those below TLS as well: where nothing is read they do not close by themselves. */
  readonly #raw = new Set<Socket>();
  readonly #script: OriginScript;
  readonly #options: OriginOptions;

  private constructor(script: OriginScript, options: OriginOptions) {
    this.#script = script;
    this.#options = options;
    const { tls = secureOrigins.options } = options;
    this.#server =
      tls === undefined
        ? createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
        : createTlsServer({ ...tls, allowHalfOpen: true }, (socket) => this.#accept(resettable(socket)));
    this.#server.on('connection', (socket) => {
      this.#raw.add(socket);
      socket.on('close', () => this.#raw.delete(socket));
    });
  }

  /** Listens on a free port of 127.0.0.1 unless the options say otherwise. */
  static async start(script: OriginScript, options: OriginOptions = {}): Promise<ScriptedOrigin> {
    const origin = new ScriptedOrigin(script, options);
    const { socketPath, host = '127.0.0.1', port = 0 } = options;
    await new Promise<void>((resolve, reject) => {
      origin.#server.once('error', reject);
      origin.#server.listen(socketPath === undefined ? { host, port } : { path: socketPath }, resolve);
    });
    return origin;
  }

  /** Answers each request with a whole response. */
  static answering(response: string, options?: OriginOptions): Promise<ScriptedOrigin> {
    return ScriptedOrigin.start((socket) => socket.write(response, 'latin1'), options);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Connections open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** As a server of an upstream. */
  server(weight = 1): ServerConfig {
    const { socketPath, host = '127.0.0.1' } = this.#options;
    if (socketPath !== undefined) return serverConfig({ socketPath }, { weight });
    const { port } = this;
    return serverConfig({ host, port }, { weight });
  }

  /** Closes every connection in order, as a server does whose keep-alive time is over. */
  endConnections(): void {
    for (const socket of this.#sockets) socket.end();
  }

  /** Dies: stops listening and resets every connection. */
  async kill(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of [...this.#sockets, ...this.#raw]) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('end', () => socket.end());
    if (this.#options.onConnection?.(socket) === true) return;
    const received = new ReceivedBytes();
    let index = 0;
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      while (received.mayBeWhole) {
        const parsed = parseRequest(received, index, this.#options.ignoreBody ?? false);
        if (parsed === undefined) return;
        received.consume(parsed.end);
        index++;
        this.requests.push(parsed.request);
        this.#script(socket, parsed.request);
        if (this.#options.ignoreBody) return void socket.removeAllListeners('data');
      }
    });
  }
}

/** Node resets connections of its plain sockets only. */
function resettable(socket: TLSSocket): TLSSocket {
  const raw: Socket = Reflect.get(socket, '_parent');
  socket.resetAndDestroy = () => {
    raw.resetAndDestroy();
    return socket;
  };
  return socket;
}

/** What came on a connection; joined only when it may be a whole request, so that large bodies cost no more than their size. */
class ReceivedBytes {
  /** Bytes that must be there before another look makes sense; undefined: up to the end of a chunked body. */
  needed: number | undefined = 0;
  #pieces: Buffer[] = [];
  #length = 0;

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  get mayBeWhole(): boolean {
    if (this.needed !== undefined) return this.#length > 0 && this.#length >= this.needed;
    return Buffer.concat(this.#pieces.slice(-5)).subarray(-4).toString('latin1') === '\r\n\r\n';
  }

  get joined(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  consume(count: number): void {
    const rest = this.joined.subarray(count);
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    this.needed = 0;
  }
}

function parseRequest(received: ReceivedBytes, index: number, ignoreBody: boolean) {
  const bytes = received.joined;
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const start = headEnd + 4;
  if (ignoreBody) return { end: start, request: { head, body: Buffer.alloc(0), index } };
  if (/^transfer-encoding: chunked$/im.test(head)) {
    received.needed = undefined;
    return parseChunked(bytes, head, start, index);
  }
  const end = start + Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  received.needed = end;
  if (bytes.length < end) return undefined;
  return { end, request: { head, body: Buffer.from(bytes.subarray(start, end)), index } };
}

function parseChunked(bytes: Buffer, head: string, start: number, index: number) {
  const pieces: Buffer[] = [];
  for (let position = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', position);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', position, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { end: next, request: { head, body: Buffer.concat(pieces), index } };
    pieces.push(Buffer.from(bytes.subarray(lineEnd + 2, lineEnd + 2 + size)));
    position = next;
  }
}
