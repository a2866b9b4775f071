import { crc32 } from 'node:zlib';
import { pieceBytes } from './entry-format.ts';

/** Checksums of the pieces of a body that comes in chunks of any size. */
export class PieceChecksums {
  private readonly done: number[] = [];
  private checksum = 0;
  private inPiece = 0;

  add(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length; ) {
      const part = chunk.subarray(offset, offset + pieceBytes - this.inPiece);
      this.checksum = crc32(part, this.checksum);
      this.inPiece += part.length;
      offset += part.length;
      if (this.inPiece === pieceBytes) this.endPiece();
    }
  }

  /** All of them; nothing may be added any more. */
  finish(): readonly number[] {
    if (this.inPiece > 0) this.endPiece();
    return this.done;
  }

  private endPiece(): void {
    this.done.push(this.checksum);
    this.checksum = 0;
    this.inPiece = 0;
  }
}
