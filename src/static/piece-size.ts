import { largestPiece, smallestPiece } from './read-buffer-pool.ts';

/** What the first piece of a download is asked to be. */
const firstPiece = 256 * 1024;
/** A piece should keep a client busy for about that long: less costs calls, more keeps memory from others. */
const targetMs = 50;

/**
 * How large a piece the next read of one download should have: a megabyte for a client that takes it at once, the
 * smallest for one that crawls, so that it holds little memory while it does.
 */
export class PieceSize {
  bytes = firstPiece;
  private isMeasured = false;
  private stalledBytes = 0;
  private stalledAt = 0;

  /** Whether the client has shown that it is worth holding a second piece ready. */
  get isFast(): boolean {
    return this.isMeasured && this.bytes > smallestPiece * 4;
  }

  /** The connection took a piece at once. */
  taken(): void {
    this.isMeasured = true;
    this.bytes = Math.min(largestPiece, this.bytes * 4);
  }

  /** The connection holds a piece of that size. */
  stalled(bytes: number): void {
    this.stalledBytes = bytes;
    this.stalledAt = performance.now();
  }

  /** The client has taken it. */
  drained(): void {
    if (this.stalledBytes === 0) return;
    this.isMeasured = true;
    const elapsedMs = Math.max(0.1, performance.now() - this.stalledAt);
    this.bytes = Math.min(largestPiece, Math.max(smallestPiece, (this.stalledBytes / elapsedMs) * targetMs));
    this.stalledBytes = 0;
  }
}
