import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import { type FrameParts, frame, opcodes, parseFrame, type ReceivedFrame } from './raw-websocket.ts';
import { waitFor } from './wait-for.ts';

/** A connection over HTTP/2 that has seen what the server is able to do. */
export async function connectHttp2(port: number, initialWindowSize?: number): Promise<ClientHttp2Session> {
  const session = connect(`https://localhost:${port}`, {
    rejectUnauthorized: false,
    lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    ...(initialWindowSize === undefined ? {} : { settings: { initialWindowSize } }),
  } as Parameters<typeof connect>[1]);
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

/** A WebSocket over a stream of HTTP/2 (RFC 8441), of a client that sends the frames it is told to. */
export class Http2WebSocket {
  readonly stream: ClientHttp2Stream;
  /** Once the server has answered. */
  headers: Readonly<Record<string, unknown>> | undefined;
  /** Whether the server has ended its side, or the stream is closed. */
  ended = false;
  #received: Buffer[] = [];

  constructor(session: ClientHttp2Session, path = '/', headers: OutgoingHttpHeaders = {}) {
    this.stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': path,
      'sec-websocket-version': '13',
      ...headers,
    });
    this.stream.on('response', (fields) => {
      this.headers = fields;
    });
    this.stream.on('data', (piece: Buffer) => void this.#received.push(piece));
    this.stream.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      this.stream.on(event, () => {
        this.ended = true;
      });
    }
  }

  /** @throws when the answer is not 200 */
  static async open(
    session: ClientHttp2Session,
    path = '/',
    headers: OutgoingHttpHeaders = {},
  ): Promise<Http2WebSocket> {
    const socket = new Http2WebSocket(session, path, headers);
    const status = await socket.status();
    if (status !== 200) throw new Error(`not opened: ${status}`);
    return socket;
  }

  /** The status of the answer; 0 when the stream was reset instead. */
  async status(): Promise<number> {
    await waitFor(() => this.headers !== undefined || this.ended, 'an answer');
    return Number(this.headers?.[':status'] ?? 0);
  }

  /** What came so far that is no WebSocket. */
  get body(): string {
    return Buffer.concat(this.#received).toString();
  }

  send(...frames: readonly FrameParts[]): void {
    this.stream.write(Buffer.concat(frames.map(frame)));
  }

  /** Frames that came so far. */
  get frames(): ReceivedFrame[] {
    const frames: ReceivedFrame[] = [];
    let rest = Buffer.concat(this.#received);
    this.#received = [rest];
    for (;;) {
      const parsed = parseFrame(rest);
      if (parsed === undefined) return frames;
      frames.push(parsed.frame);
      rest = rest.subarray(parsed.end);
    }
  }

  /** Waits for so many frames. @returns all that came */
  async received(count: number): Promise<ReceivedFrame[]> {
    await waitFor(() => this.frames.length >= count || this.ended, `${count} frames`);
    return this.frames;
  }

  /** Sends text and waits for the next frame. @returns its payload */
  async ask(payload: string): Promise<string | undefined> {
    const before = this.frames.length;
    this.send({ opcode: opcodes.text, payload });
    return (await this.received(before + 1))[before]?.payload.toString();
  }

  /** Waits for a close frame. @returns its code; 1005 when it has none, 1006 when the stream ended without one */
  async closeCode(): Promise<number> {
    const close = (): ReceivedFrame | undefined => this.frames.find(({ opcode }) => opcode === opcodes.close);
    await waitFor(() => close() !== undefined || this.ended, 'the end of the WebSocket');
    const { payload } = close() ?? {};
    if (payload === undefined) return 1006;
    return payload.length < 2 ? 1005 : payload.readUInt16BE(0);
  }
}
