/** The unit in which read memory comes from the system; the largest piece that is lent. */
export const slabBytes = 1024 * 1024;

/** A megabyte outside the JavaScript heap, cut into pieces of one size. While none is lent it can be cut anew. */
export class ReadSlab {
  pieceSize = slabBytes;
  private readonly memory = Buffer.allocUnsafeSlow(slabBytes);
  private free: Buffer[] = [this.memory];

  get isFree(): boolean {
    return this.free.length * this.pieceSize === slabBytes;
  }

  get hasRoom(): boolean {
    return this.free.length > 0;
  }

  /** Cuts it into pieces of that size. Only while nothing is lent. */
  divide(pieceSize: number): void {
    if (!this.isFree) throw new Error('a slab in use cannot be divided');
    if (pieceSize === this.pieceSize) return;
    this.pieceSize = pieceSize;
    this.free = [];
    for (let start = 0; start < slabBytes; start += pieceSize) {
      this.free.push(this.memory.subarray(start, start + pieceSize));
    }
  }

  takePiece(): Buffer {
    const piece = this.free.pop();
    if (piece === undefined) throw new Error('the slab has no room');
    return piece;
  }

  giveBack(piece: Buffer): void {
    this.free.push(piece);
  }
}
