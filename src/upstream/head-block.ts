/**
 * Where the kept lines of a response head are put together: one growing piece of memory for all responses of an
 * upstream, because a block is used up before the next one begins.
 */
export class HeadBlock {
  private bytes: Buffer = Buffer.allocUnsafeSlow(8192);
  private length = 0;

  clear(): void {
    this.length = 0;
  }

  appendRange(source: Buffer, start: number, end: number): void {
    const count = end - start;
    this.ensure(count);
    const { bytes, length } = this;
    // A short copy is cheaper in place than by a call into the runtime.
    if (count <= 48) {
      for (let index = 0; index < count; index++) bytes[length + index] = source[start + index] as number;
    } else {
      source.copy(bytes, length, start, end);
    }
    this.length = length + count;
  }

  append(source: Buffer): void {
    this.appendRange(source, 0, source.length);
  }

  /** @param text Latin-1: one character a byte */
  appendText(text: string): void {
    this.ensure(text.length);
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  /** Bytes that were put together. */
  get size(): number {
    return this.length;
  }

  /** What was put together, valid until the next `clear`. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
