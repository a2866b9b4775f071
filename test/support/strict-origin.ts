import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request as Node's strict parser understood it, complete with its body. */
export interface UnderstoodRequest {
  readonly method: string;
  readonly target: string;
  /** `[name, value]` as sent. */
  readonly fields: readonly (readonly [string, string])[];
  /** Latin-1. */
  readonly body: string;
}

/** An application server with a strict parser: tells what it understood, and whether anything was not HTTP to it. */
export class StrictOrigin {
  /** Complete requests only. */
  readonly requests: UnderstoodRequest[] = [];
  /** What the parser did not take. */
  readonly complaints: string[] = [];
  readonly #server = createServer({ insecureHTTPParser: false });
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // A request that is given up in its middle is the client's or Portico's right.
      if (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE') this.complaints.push(error.code);
      socket.destroy();
    });
    this.#server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.requests.push(understood(request, Buffer.concat(chunks)));
        response.end('served');
      });
    });
  }

  static async start(): Promise<StrictOrigin> {
    const origin = new StrictOrigin();
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Forgets what it has seen. */
  forget(): void {
    this.requests.length = 0;
    this.complaints.length = 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function understood(request: IncomingMessage, body: Buffer): UnderstoodRequest {
  const fields: [string, string][] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    fields.push([request.rawHeaders[index] as string, request.rawHeaders[index + 1] as string]);
  }
  return { method: request.method ?? '', target: request.url ?? '', fields, body: body.toString('latin1') };
}
