import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { secureOrigins } from './secure-origins.ts';

/** How a WebSocket ended, as the application saw it. */
export interface OriginClose {
  readonly code: number;
  readonly reason: string;
}

export interface WebSocketOriginOptions {
  readonly socketPath?: string;
  /** What to do with each WebSocket; sends back every message when left out. */
  readonly onWebSocket?: (socket: WebSocket, request: IncomingMessage) => void;
  /** Answers the handshake with these bytes instead, or does what it likes with the connection. */
  readonly onUpgrade?: (request: IncomingMessage, connection: Socket) => void;
  /** Lines such as `Set-Cookie: a=b` for the 101. */
  readonly fields?: readonly string[];
  /** Which of the offered subprotocols it takes; the first when left out. */
  readonly chooseProtocol?: (offered: readonly string[]) => string | false;
}

/** An application that speaks WebSocket. */
export class WebSocketOrigin {
  /** Handshakes that came. */
  readonly requests: IncomingMessage[] = [];
  readonly sockets: WebSocket[] = [];
  /** In the order in which they ended. */
  readonly closes: OriginClose[] = [];
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #options: WebSocketOriginOptions;

  private constructor(options: WebSocketOriginOptions) {
    this.#options = options;
    const webSockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: true,
      maxPayload: 64 * 1024 ** 2,
      handleProtocols: (offered) => (options.chooseProtocol ?? (([first]) => first ?? false))([...offered]),
    });
    webSockets.on('headers', (lines) => lines.push(...(options.fields ?? [])));
    const { options: tls } = secureOrigins;
    this.#server = tls === undefined ? createServer() : createSecureServer(tls);
    this.#server.on('request', (_request, response) => response.end('an ordinary page'));
    this.#server.on('connection', (connection) => {
      this.#connections.add(connection);
      connection.on('close', () => this.#connections.delete(connection));
    });
    this.#server.on('upgrade', (request, connection: Socket, head) => {
      this.requests.push(request);
      connection.on('error', () => {});
      if (options.onUpgrade !== undefined) {
        // Otherwise the end of the connection would not be noticed.
        connection.on('end', () => connection.end()).resume();
        return options.onUpgrade(request, connection);
      }
      webSockets.handleUpgrade(request, connection, head, (socket) => this.#serve(socket, request));
    });
  }

  static async start(options: WebSocketOriginOptions = {}): Promise<WebSocketOrigin> {
    const origin = new WebSocketOrigin(options);
    await new Promise<void>((resolve, reject) => {
      origin.#server.once('error', reject);
      const { socketPath } = options;
      origin.#server.listen(socketPath === undefined ? { host: '127.0.0.1', port: 0 } : { path: socketPath }, resolve);
    });
    return origin;
  }

  /** For `servers` of an upstream. */
  get url(): string {
    const { socketPath } = this.#options;
    if (socketPath !== undefined) return `unix:${socketPath}`;
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes a connection that somebody else has accepted. */
  take(connection: Socket): void {
    this.#server.emit('connection', connection);
  }

  /** Connections open now. */
  get open(): number {
    return this.#connections.size;
  }

  /** Dies: resets every connection. */
  kill(): void {
    for (const connection of this.#connections) connection.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #serve(socket: WebSocket, request: IncomingMessage): void {
    this.sockets.push(socket);
    socket.on('error', () => {});
    socket.on('close', (code, reason) => void this.closes.push({ code, reason: reason.toString() }));
    if (this.#options.onWebSocket !== undefined) this.#options.onWebSocket(socket, request);
    else socket.on('message', (data, binary) => socket.send(data, { binary }));
  }
}
