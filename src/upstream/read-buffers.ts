import { SendBuffer } from './send-buffer.ts';

/**
 * Bytes that a connection reads at once, to begin with, and once it has read so much in one go. Most answers of an application
 * are small, and a thousand connections with large buffers make V8 collect garbage again and again: it counts their bytes
 * although nothing is in them.
 */
const smallSize = 8192;
const largeSize = 65_536;
/** Buffers of a size kept for connections to come; the rest is left to the garbage collector. */
const maxSpare = 64;

/** Lends the read buffers of connections, so that servers that close after each response do not cost one a request. */
export class ReadBuffers {
  /** Where they put together what they send. */
  readonly sending: SendBuffer = new SendBuffer();
  private readonly small: Buffer[] = [];
  private readonly large: Buffer[] = [];

  /** A buffer for a connection that has not read anything yet. */
  take(): Buffer {
    return this.small.pop() ?? Buffer.allocUnsafeSlow(smallSize);
  }

  /** @returns the buffer for the next read of a connection that has just read `count` bytes into this one */
  next(buffer: Buffer, count: number): Buffer {
    if (count < buffer.length || buffer.length === largeSize) return buffer;
    return this.large.pop() ?? Buffer.allocUnsafeSlow(largeSize);
  }

  /** Takes a buffer back that nobody reads or writes any more. */
  give(buffer: Buffer): void {
    const spare = buffer.length === largeSize ? this.large : this.small;
    if (spare.length < maxSpare) spare.push(buffer);
  }
}
