/** Text up to this length is written byte by byte: a call into the runtime costs more. */
const shortText = 48;
/** Views kept; heads of one application have a few lengths. */
const maxViews = 256;

/**
 * Where the kept lines of a response head are put together: one growing piece of memory for all responses of an
 * upstream, because a block is used up before the next one begins.
 */
export class HeadBlock {
  private bytes: Buffer = Buffer.allocUnsafeSlow(8192);
  private length = 0;
  /** Views of the bytes by length: making one for each response costs as much as filling it. */
  private readonly views = new Map<number, Buffer>();

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
    if (source.length > 0) this.appendRange(source, 0, source.length);
  }

  /** @param text Latin-1: one character a byte */
  appendText(text: string): void {
    this.ensure(text.length);
    const { bytes, length } = this;
    if (text.length <= shortText) {
      for (let index = 0; index < text.length; index++) bytes[length + index] = text.charCodeAt(index);
    } else {
      bytes.write(text, length, 'latin1');
    }
    this.length = length + text.length;
  }

  /** Bytes that were put together. */
  get size(): number {
    return this.length;
  }

  /** What was put together, valid until the next `clear`; the same view for the same length. */
  view(): Buffer {
    const { length, views } = this;
    let view = views.get(length);
    if (view === undefined) {
      if (views.size >= maxViews) views.clear();
      view = this.bytes.subarray(0, length);
      views.set(length, view);
    }
    return view;
  }

  private ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.views.clear();
  }
}
