import { RawClient } from './raw-client.ts';
import { waitFor } from './wait-for.ts';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameParts {
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  readonly fin?: boolean;
  /** The three reserved bits as a number, 4 for RSV1. */
  readonly rsv?: number;
  readonly masked?: boolean;
  /** Writes the length in as many bytes, though fewer would do. */
  readonly lengthBytes?: 1 | 2 | 8;
  /** What the length says, where that is not the payload's. */
  readonly declared?: number;
}

/** A frame as a client sends it (RFC 6455 section 5.2), or as it must not. */
export function frame(parts: FrameParts): Buffer {
  const { opcode, fin = true, rsv = 0, masked = true } = parts;
  const payload = Buffer.from((parts.payload as Uint8Array | undefined) ?? '');
  const length = parts.declared ?? payload.length;
  const lengthBytes = parts.lengthBytes ?? (length < 126 ? 1 : length < 65_536 ? 2 : 8);
  const head = Buffer.alloc(lengthBytes === 1 ? 2 : 2 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (lengthBytes === 1 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(length, 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] as number))]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason as Uint8Array)]);
}

/** A frame as it came. */
export interface ReceivedFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A WebSocket client that sends the bytes it is told to. */
export class RawWebSocket {
  readonly client: RawClient;

  private constructor(client: RawClient) {
    this.client = client;
  }

  static async open(port: number): Promise<RawWebSocket> {
    const client = await RawClient.connect(port);
    client.send(
      'GET /raw HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const answer = await client.leave();
    if (!answer.startsWith('HTTP/1.1 101 ')) throw new Error(`not upgraded: ${answer}`);
    return new RawWebSocket(client);
  }

  send(...frames: readonly FrameParts[]): void {
    this.client.send(Buffer.concat(frames.map(frame)));
  }

  /** Frames that came so far. */
  get frames(): ReceivedFrame[] {
    const frames: ReceivedFrame[] = [];
    let rest = this.client.pending;
    for (;;) {
      const parsed = parseFrame(rest);
      if (parsed === undefined) return frames;
      frames.push(parsed.frame);
      rest = rest.subarray(parsed.end);
    }
  }

  async received(count: number): Promise<ReceivedFrame[]> {
    await waitFor(() => this.frames.length >= count || this.client.ended, `${count} frames`);
    return this.frames;
  }

  async ended(): Promise<void> {
    await waitFor(() => this.client.ended, 'the end of the connection');
  }
}

export function parseFrame(bytes: Buffer): { frame: ReceivedFrame; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes[0] as number;
  const second = bytes[1] as number;
  if (second >= 0x80) throw new Error('the server has masked a frame');
  let start = 2;
  let length = second;
  if (second === 126) {
    if (bytes.length < 4) return undefined;
    length = bytes.readUInt16BE(2);
    start = 4;
  } else if (second === 127) {
    if (bytes.length < 10) return undefined;
    length = Number(bytes.readBigUInt64BE(2));
    start = 10;
  }
  const end = start + length;
  if (bytes.length < end) return undefined;
  const frame = {
    fin: first >= 0x80,
    rsv: (first >> 4) & 7,
    opcode: first & 15,
    payload: Buffer.from(bytes.subarray(start, end)),
  };
  return { frame, end };
}
