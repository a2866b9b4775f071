import { type AddressInfo, createServer, type Socket } from 'node:net';
import { readStrictly, type StrictRequest } from './strict-request.ts';

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const headAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';

/** An application server that reads bytes strictly, and keeps what each client has asked for, by its address. */
export class RecordingOrigin {
  /** Bytes that are not HTTP, or not HTTP as a proxy has to send it. */
  readonly complaints: string[] = [];
  readonly #requests = new Map<string, StrictRequest[]>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#serve(socket));

  static async start(): Promise<RecordingOrigin> {
    const origin = new RecordingOrigin();
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whole requests of a client; forgets them. */
  take(address: string): readonly StrictRequest[] {
    const requests = this.#requests.get(address) ?? [];
    this.#requests.delete(address);
    return requests;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    let text = '';
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const { requests, rest } = readStrictly(text);
      if (rest === 'refused' || rest === 'not wanted') {
        this.complaints.push(escape(text.slice(0, 2000)));
        return void socket.destroy();
      }
      // What is incomplete is read again with what follows.
      if (requests.length === 0) return;
      if (rest === 'incomplete' || requests.length > 1) this.complaints.push(`sent ahead: ${escape(text)}`);
      text = '';
      for (const request of requests) {
        this.#record(request);
        socket.write(request.method === 'HEAD' ? headAnswer : answer);
      }
    });
  }

  #record(request: StrictRequest): void {
    const address = request.fields.find(([name]) => name === 'x-real-ip')?.[1] ?? 'nobody';
    const known = this.#requests.get(address);
    if (known === undefined) this.#requests.set(address, [request]);
    else known.push(request);
  }
}
