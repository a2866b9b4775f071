import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A response as it stood on the wire. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** `[name, value]` as sent, Latin-1: one character a byte. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Sizes of the chunks when the body came chunked. */
  readonly chunks: readonly number[] | undefined;
  /** The value of the only field of that name, undefined without one; throws when there are two. */
  field(name: string): string | undefined;
}

const patienceMs = 20_000;

/** An HTTP client that sends exactly the bytes it is told to and hides nothing of what comes back. */
export class RawClient {
  readonly socket: Socket;
  /** Whether the server has ended its side, or the connection broke. */
  ended = false;
  /** Why it broke: `ECONNRESET`. */
  errorCode: string | undefined;
  #received: Buffer[] = [];
  #bytes = 0;
  #changed: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#bytes += chunk.length;
      this.#changed?.();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code;
    });
    const end = (): void => {
      this.ended = true;
      this.#changed?.();
    };
    socket.on('end', end);
    socket.on('close', end);
  }

  /** How connections are made: a file that tests over TLS puts its own in the place. */
  static dial: (
    port: number,
    host: string,
  ) => { readonly socket: Socket; readonly ready: 'connect' | 'secureConnect' } = (port, host) => ({
    socket: connect({ port, host, noDelay: true, allowHalfOpen: true }),
    ready: 'connect',
  });

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const { socket, ready } = RawClient.dial(port, host);
    const client = new RawClient(socket);
    await once(socket, ready);
    return client;
  }

  /** @param data a string is Latin-1 */
  send(data: string | Uint8Array): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Sends and waits until the kernel has taken it. */
  async sendAll(data: Uint8Array): Promise<void> {
    if (!this.socket.write(data)) await once(this.socket, 'drain');
  }

  /** What came and was not consumed by `response`. */
  get pending(): Buffer {
    const [only] = this.#received;
    if (this.#received.length === 1 && only !== undefined) return only;
    const all = Buffer.concat(this.#received);
    this.#received = [all];
    return all;
  }

  /** Reads no more until `resume`, so that the server meets a full socket. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** The next response; rejects when the connection ends before it is complete. @param method of the request */
  async response(method = 'GET'): Promise<RawResponse> {
    const headEnd = await this.#find('\r\n\r\n');
    const lines = this.#consume(headEnd + 4)
      .toString('latin1')
      .slice(0, -4)
      .split('\r\n');
    const statusLine = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(lines[0] ?? '');
    if (statusLine === null) throw new Error(`not a status line: ${JSON.stringify(lines[0])}`);
    const status = Number(statusLine[1]);
    const fields = lines.slice(1).map(parseField);
    const field = (name: string): string | undefined => onlyValue(fields, name);
    const { body, chunks } = await this.#body(status, method, field);
    return { status, reason: statusLine[2] ?? '', fields, body, chunks, field };
  }

  /** The interim response that lets the client send its body. */
  async leave(): Promise<string> {
    return this.#consume((await this.#find('\r\n\r\n')) + 4).toString('latin1');
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    await this.#until(() => this.ended);
  }

  /** Resolves when so many bytes have come and were not consumed. */
  async receivedAtLeast(bytes: number): Promise<void> {
    await this.#until(() => this.#bytes >= bytes);
  }

  /** Ends the sending side only. */
  halfClose(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Breaks the connection with RST. */
  reset(): void {
    if ('encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  async #body(
    status: number,
    method: string,
    field: (name: string) => string | undefined,
  ): Promise<{ body: Buffer; chunks: number[] | undefined }> {
    const length = field('content-length');
    const coding = field('transfer-encoding');
    if (length !== undefined && coding !== undefined) throw new Error('Content-Length and Transfer-Encoding');
    if (method === 'HEAD' || status === 101 || status === 204 || status === 304)
      return { body: Buffer.alloc(0), chunks: undefined };
    if (coding === 'chunked') return this.#chunked();
    if (length === undefined) throw new Error('neither Content-Length nor Transfer-Encoding');
    await this.#need(Number(length));
    return { body: this.#consume(Number(length)), chunks: undefined };
  }

  async #chunked(): Promise<{ body: Buffer; chunks: number[] }> {
    const pieces: Buffer[] = [];
    const chunks: number[] = [];
    for (;;) {
      const lineEnd = await this.#find('\r\n');
      const line = this.#consume(lineEnd + 2)
        .toString('latin1')
        .slice(0, -2);
      if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      await this.#need(size + 2);
      pieces.push(this.#consume(size));
      if (this.#consume(2).toString('latin1') !== '\r\n') throw new Error('a chunk does not end with CRLF');
      if (size === 0) return { body: Buffer.concat(pieces), chunks };
      chunks.push(size);
    }
  }

  async #find(text: string): Promise<number> {
    let found = -1;
    await this.#until(() => {
      if (found < 0) found = this.pending.indexOf(text);
      return found >= 0 || this.ended;
    });
    if (found < 0) throw new Error(`the connection ended within a response: ${JSON.stringify(this.#excerpt())}`);
    return found;
  }

  async #need(bytes: number): Promise<void> {
    await this.#until(() => this.#bytes >= bytes || this.ended);
    if (this.#bytes >= bytes) return;
    throw new Error(`the connection ended ${bytes - this.#bytes} bytes short of a response`);
  }

  #consume(bytes: number): Buffer {
    const all = this.pending;
    this.#received = [all.subarray(bytes)];
    this.#bytes = all.length - bytes;
    return all.subarray(0, bytes);
  }

  #excerpt(): string {
    return this.pending.subarray(0, 200).toString('latin1');
  }

  async #until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`nothing more came within ${patienceMs} ms: ${JSON.stringify(this.#excerpt())}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function parseField(line: string): readonly [string, string] {
  const colon = line.indexOf(': ');
  if (colon < 1) throw new Error(`not a field: ${JSON.stringify(line)}`);
  return [line.slice(0, colon), line.slice(colon + 2)];
}

function onlyValue(fields: readonly (readonly [string, string])[], name: string): string | undefined {
  const values = fields.filter(([key]) => key.toLowerCase() === name);
  if (values.length > 1) throw new Error(`${values.length} ${name} fields`);
  return values[0]?.[1];
}
