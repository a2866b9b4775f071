import { createServer, type Server, type Socket } from 'node:net';
import type { ServerConfig } from '../../src/config/config.ts';

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
}

/** An application server whose bytes a test dictates, so that it can misbehave in every way. */
export class ScriptedOrigin {
  readonly requests: OriginRequest[] = [];
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #script: OriginScript;
  readonly #options: OriginOptions;

  private constructor(script: OriginScript, options: OriginOptions) {
    this.#script = script;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
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
    if (socketPath !== undefined) return { name: `unix:${socketPath}`, address: { socketPath }, weight };
    const { port } = this;
    return { name: `${host}:${port}`, address: { host, port }, weight };
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
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('end', () => socket.end());
    if (this.#options.onConnection?.(socket) === true) return;
    let received = Buffer.alloc(0);
    let index = 0;
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const parsed = parseRequest(received, index, this.#options.ignoreBody ?? false);
        if (parsed === undefined) return;
        received = received.subarray(parsed.end);
        index++;
        this.requests.push(parsed.request);
        this.#script(socket, parsed.request);
        if (this.#options.ignoreBody) return void socket.removeAllListeners('data');
      }
    });
  }
}

function parseRequest(bytes: Buffer, index: number, ignoreBody: boolean) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const start = headEnd + 4;
  if (ignoreBody) return { end: start, request: { head, body: Buffer.alloc(0), index } };
  if (/^transfer-encoding: chunked$/im.test(head)) return parseChunked(bytes, head, start, index);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  const end = start + length;
  return bytes.length < end
    ? undefined
    : { end, request: { head, body: Buffer.from(bytes.subarray(start, end)), index } };
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
