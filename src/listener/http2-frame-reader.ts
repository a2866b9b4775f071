import {
  ErrorCode as Code,
  type ErrorCode,
  FrameType,
  frameHeaderBytes,
  maxFrameBytes,
  maxWindow,
  preface,
} from '../http2/frame.ts';

/** What a connection does wrong, for which it ends. */
export class ConnectionFault extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Takes whole frames. May throw ConnectionFault. */
export interface FrameTaker {
  /** Whether frames are still wanted. */
  readonly reading: boolean;
  frame(type: number, flags: number, stream: number, payload: Buffer): void;
}

/** Cuts what comes on a connection into frames (RFC 9113 sections 3.4 and 4.1). */
export class Http2FrameReader {
  readonly #taker: FrameTaker;
  #rest: Buffer | undefined;
  #prefaceSeen = false;
  #settingsSeen = false;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  /** Whether the client has said what an HTTP/2 client says first. */
  get greeted(): boolean {
    return this.#settingsSeen;
  }

  /** @throws ConnectionFault */
  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let position = this.#readPreface(bytes);
    while (this.#prefaceSeen && bytes.length - position >= frameHeaderBytes && this.#taker.reading) {
      const length = bytes.readUIntBE(position, 3);
      if (length > maxFrameBytes) throw new ConnectionFault(Code.frameSizeError, 'a frame larger than announced');
      const start = position + frameHeaderBytes;
      if (bytes.length < start + length) break;
      const type = bytes[position + 3] as number;
      if (!this.#settingsSeen && type !== FrameType.settings) {
        throw new ConnectionFault(Code.protocolError, 'a frame before SETTINGS');
      }
      this.#settingsSeen = true;
      const stream = bytes.readUInt32BE(position + 5) & maxWindow;
      this.#taker.frame(type, bytes[position + 4] as number, stream, bytes.subarray(start, start + length));
      position = start + length;
    }
    if (position < bytes.length && this.#taker.reading) this.#rest = bytes.subarray(position);
  }

  #readPreface(bytes: Buffer): number {
    if (this.#prefaceSeen) return 0;
    const count = Math.min(bytes.length, preface.length);
    if (!bytes.subarray(0, count).equals(preface.subarray(0, count))) {
      throw new ConnectionFault(Code.protocolError, 'not the preface of HTTP/2');
    }
    if (count < preface.length) return 0;
    this.#prefaceSeen = true;
    return count;
  }
}
