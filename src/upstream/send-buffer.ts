/** Text and bytes together up to this size are put into one piece; copying more costs as much as a second piece. */
const capacity = 32_768;

/**
 * Where the head of a request and its small body are put together, so that they leave as one piece of memory: a list of two
 * takes Node.js about a microsecond more. One for all connections of an upstream, because a socket nearly always takes
 * such a piece at once.
 */
export class SendBuffer {
  private memory: Buffer | undefined;

  fits(text: string, chunk: Uint8Array): boolean {
    return text.length + chunk.length <= capacity;
  }

  /** @param text Latin-1: one character a byte @returns both, to be sent before the next call */
  join(text: string, chunk: Uint8Array): Buffer {
    const memory = (this.memory ??= Buffer.allocUnsafeSlow(capacity));
    const length = memory.write(text, 0, 'latin1');
    memory.set(chunk, length);
    return memory.subarray(0, length + chunk.length);
  }

  /** A socket has not taken what was joined last, and reads it still: it keeps the memory. */
  giveAway(): void {
    this.memory = undefined;
  }
}
