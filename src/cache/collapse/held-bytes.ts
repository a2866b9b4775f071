/** The last part of a body that arrives, in memory: pieces one behind the other, let go from the front. */
export class HeldBytes {
  /** Position of the first byte that is here; where the next one comes when there is none. */
  start = 0;
  /** Bytes that are here. */
  length = 0;
  private readonly pieces: Buffer[] = [];

  /** Copies a piece. @param position of its first byte in the body */
  append(position: number, chunk: Uint8Array): void {
    if (this.length === 0) this.start = position;
    this.pieces.push(Buffer.from(chunk));
    this.length += chunk.length;
  }

  /** The bytes from there to the end of a piece; undefined when they are not here. */
  from(position: number): Buffer | undefined {
    let start = this.start;
    if (position < start) return undefined;
    for (const piece of this.pieces) {
      if (position < start + piece.length) return piece.subarray(position - start);
      start += piece.length;
    }
    return undefined;
  }

  /** Lets go of whole pieces that end at or before a position. */
  dropBefore(position: number): void {
    let [first] = this.pieces;
    while (first !== undefined && this.start + first.length <= position) {
      this.pieces.shift();
      this.start += first.length;
      this.length -= first.length;
      [first] = this.pieces;
    }
    if (first === undefined) this.start = Math.max(this.start, position);
  }
}
