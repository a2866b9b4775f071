import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { Flag, FrameType, frame, frameHeaderBytes, maxWindow, preface, settingsFrame } from '../../src/http2/frame.ts';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { HpackWriter } from '../../src/http2/hpack-encoder.ts';

/** A frame as it came. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What came back on a stream. */
export interface RawHttp2Response {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

const patienceMs = 20_000;

/** Encodes fields as they are, whatever they are. */
export function headerBlock(fields: readonly (readonly [string, string])[]): Buffer {
  const writer = new HpackWriter();
  for (const [name, value] of fields) writer.field(name, value);
  return Buffer.from(writer.view());
}

/** The pseudo-header fields of a GET, and further fields. */
export function getFields(path: string, ...more: (readonly [string, string])[]): (readonly [string, string])[] {
  return [[':method', 'GET'], [':scheme', 'https'], [':authority', 'localhost'], [':path', path], ...more];
}

/** An HTTP/2 client that sends exactly the frames that it is told to and hides nothing of what comes back. */
export class RawHttp2Client {
  readonly socket: TLSSocket;
  readonly frames: RawFrame[] = [];
  ended = false;
  #rest = Buffer.alloc(0);
  #changed: (() => void) | undefined;
  readonly #decoder = new HpackDecoder(4096, () => undefined);
  readonly #heads = new Map<number, (readonly [string, string])[]>();

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.ended = true;
        this.#changed?.();
      });
    }
  }

  /**
   * @param greet whether the preface and empty settings are sent at once
   * @param localAddress that it comes from
   */
  static async connect(port: number, greet = true, localAddress = '127.0.0.1'): Promise<RawHttp2Client> {
    const options = { port, host: '127.0.0.1', localAddress, ALPNProtocols: ['h2'], rejectUnauthorized: false };
    const socket = connect(options);
    await once(socket, 'secureConnect');
    const client = new RawHttp2Client(socket);
    if (greet) client.send(preface, settingsFrame([]));
    return client;
  }

  send(...pieces: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(pieces));
  }

  /** Sends a request without a body. */
  get(stream: number, path: string, ...more: (readonly [string, string])[]): void {
    const flags = Flag.endHeaders | Flag.endStream;
    this.send(frame(FrameType.headers, flags, stream, headerBlock(getFields(path, ...more))));
  }

  /** Waits for a frame. */
  async frame(wanted: (frame: RawFrame) => boolean): Promise<RawFrame> {
    await this.until(() => this.frames.some(wanted));
    return this.frames.find(wanted) as RawFrame;
  }

  /** Waits for the whole response on a stream. */
  async response(stream: number): Promise<RawHttp2Response> {
    const ends = ({ stream: id, flags, type }: RawFrame): boolean =>
      id === stream && (flags & Flag.endStream) !== 0 && (type === FrameType.data || type === FrameType.headers);
    await this.until(() => this.frames.some(ends));
    const fields = this.#heads.get(stream) ?? [];
    const data = this.frames.filter(({ stream: id, type }) => id === stream && type === FrameType.data);
    const status = Number(fields.find(([name]) => name === ':status')?.[1]);
    return { status, fields, body: Buffer.concat(data.map(({ payload }) => payload)) };
  }

  /** The status of a response, once its head is there; 0 before, and for an interim one. */
  status(stream: number): number {
    const status = Number(this.#heads.get(stream)?.find(([name]) => name === ':status')?.[1] ?? 0);
    return status < 200 ? 0 : status;
  }

  /** Waits until the server has ended the connection. @returns the code of its GOAWAY, if it sent one */
  async closed(): Promise<number | undefined> {
    await this.until(() => this.ended);
    return this.frames.find(({ type }) => type === FrameType.goaway)?.payload.readUInt32BE(4);
  }

  /** Waits for RST_STREAM. @returns its code */
  async reset(stream: number): Promise<number> {
    const found = await this.frame(({ type, stream: id }) => type === FrameType.rstStream && id === stream);
    return found.payload.readUInt32BE(0);
  }

  destroy(): void {
    this.socket.destroy();
  }

  async until(condition: () => boolean): Promise<void> {
    const start = performance.now();
    while (!condition()) {
      const left = patienceMs - (performance.now() - start);
      const seen = this.frames.map(({ type, stream }) => `${type}/${stream}`).slice(-20);
      if (left <= 0 || (this.ended && !condition()))
        throw new Error(`in vain: ended ${this.ended}, frames ${seen.join(' ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 1000));
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #receive(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= frameHeaderBytes) {
      const length = bytes.readUIntBE(0, 3);
      if (bytes.length < frameHeaderBytes + length) break;
      const payload = Buffer.from(bytes.subarray(frameHeaderBytes, frameHeaderBytes + length));
      const received = {
        type: bytes[3] ?? 0,
        flags: bytes[4] ?? 0,
        stream: bytes.readUInt32BE(5) & maxWindow,
        payload,
      };
      this.frames.push(received);
      if (received.type === FrameType.headers) this.#decode(received);
      bytes = bytes.subarray(frameHeaderBytes + length);
    }
    this.#rest = bytes;
    this.#changed?.();
  }

  #decode({ stream, payload }: RawFrame): void {
    const fields: (readonly [string, string])[] = [];
    this.#decoder.decode(payload, maxWindow, ({ name, value }) => void fields.push([name, value]));
    this.#heads.set(stream, fields);
  }
}
