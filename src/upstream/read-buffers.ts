import { SendBuffer } from './send-buffer.ts';

/** Bytes read from an upstream connection at once. */
const readBufferSize = 65_536;
/** Buffers kept for connections to come; the rest is left to the garbage collector. */
const maxSpare = 64;

/** Lends the read buffers of connections, so that servers that close after each response do not cost one a request. */
export class ReadBuffers {
  /** Where they put together what they send. */
  readonly sending: SendBuffer = new SendBuffer();
  private readonly spare: Buffer[] = [];

  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(readBufferSize);
  }

  /** Takes a buffer back that nobody reads or writes any more. */
  give(buffer: Buffer): void {
    if (this.spare.length < maxSpare) this.spare.push(buffer);
  }
}
