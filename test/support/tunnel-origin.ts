import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { secureOrigins } from './secure-origins.ts';

/** A request that an origin got. */
interface TunnelRequest {
  /** Request line and fields, without the empty line. */
  readonly head: string;
  readonly body: string;
}

/** What an origin does once a request is there whole. @param rest what came behind it in the same read */
type TunnelScript = (socket: Socket, request: TunnelRequest, rest: Buffer) => void;

/** The answer of a server that switches. */
export function switching(protocol: string, ...fields: readonly string[]): string {
  return ['HTTP/1.1 101 UPGRADED', 'Connection: Upgrade', `Upgrade: ${protocol}`, ...fields, '', ''].join('\r\n');
}

/** Switches to the first protocol that was asked for, and sends everything back. */
export function echo(socket: Socket, { head }: TunnelRequest, rest: Buffer): void {
  const [asked] = (/^upgrade: (.*)$/im.exec(head)?.[1] ?? 'nothing').split(', ');
  socket.write(switching(asked ?? ''));
  if (rest.length > 0) socket.write(rest);
  socket.on('data', (chunk: Buffer) => {
    if (socket.write(chunk)) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  });
  socket.on('end', () => socket.end());
}

/** Sends that text, and ends when the client does. */
export function saying(text: string): TunnelScript {
  return (socket) => {
    socket.write(text);
    socket.on('end', () => socket.end());
    socket.resume();
  };
}

/** A server that speaks a protocol of its own behind the first request of each connection. */
export class TunnelOrigin {
  readonly requests: TunnelRequest[] = [];
  readonly sockets = new Set<Socket>();
  /** Error codes of connections that broke. */
  readonly errors: string[] = [];
  /** Those below TLS as well: where nothing is read they do not close by themselves. */
  readonly #raw = new Set<Socket>();
  readonly #server: Server;
  readonly #script: TunnelScript;

  private constructor(script: TunnelScript) {
    this.#script = script;
    const tls = secureOrigins.options;
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server =
      tls === undefined
        ? createServer({ allowHalfOpen: true }, accept)
        : createTlsServer({ ...tls, allowHalfOpen: true }, accept);
    this.#server.on('connection', (socket: Socket) => {
      this.#raw.add(socket);
      socket.on('close', () => this.#raw.delete(socket));
    });
  }

  static async start(script: TunnelScript = echo): Promise<TunnelOrigin> {
    const origin = new TunnelOrigin(script);
    await new Promise<void>((resolve) => origin.#server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    return origin;
  }

  get url(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Connections open now. */
  get open(): number {
    return this.sockets.size;
  }

  /** Dies: resets every connection. */
  reset(): void {
    for (const socket of this.#raw) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of [...this.sockets, ...this.#raw]) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => this.errors.push(error.code ?? error.message));
    let received = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = received.toString('latin1', 0, headEnd);
      const bodyEnd = headEnd + 4 + Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (received.length < bodyEnd) return;
      socket.removeListener('data', read);
      const request = { head, body: received.toString('latin1', headEnd + 4, bodyEnd) };
      this.requests.push(request);
      this.#script(socket, request, received.subarray(bodyEnd));
    };
    socket.on('data', read);
  }
}
