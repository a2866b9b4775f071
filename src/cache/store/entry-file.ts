import { crc32 } from 'node:zlib';
import type { BodyRead, FileBody } from '../response-store.ts';
import { decodeTrailer, type EntryLayout, pieceBytes, trailerBytes } from './entry-format.ts';
import { readFully, type StoreDisk } from './store-disk.ts';
import type { WarmReads } from './warm-reads.ts';

/** Whom a file tells that what is in it is not what was written, or cannot be read. */
export interface EntryFileOwner {
  readonly disk: StoreDisk;
  readonly warmReads: WarmReads;
  broken(file: EntryFile, error: NodeJS.ErrnoException | 'corrupt'): void;
}

/**
 * The open file of an entry, shared by everybody who sends from it, and closed when the last one is done. It remembers which
 * pieces of the body were verified: each is once, as long as the file is open.
 */
export class EntryFile {
  readonly fd: number;
  readonly hash: string;
  readonly storeKey: string;
  readonly layout: EntryLayout;
  readonly bodyLength: number;
  private readonly owner: EntryFileOwner;
  private uses = 1;
  private checksums: Buffer | undefined;
  private readonly verified: Uint8Array;
  /** When the body was read last in one piece, all of it verified. */
  private readWholeAt = Number.NEGATIVE_INFINITY;

  constructor(owner: EntryFileOwner, opened: OpenedEntry) {
    this.owner = owner;
    this.fd = opened.fd;
    this.hash = opened.hash;
    this.storeKey = opened.storeKey;
    this.layout = opened.layout;
    this.bodyLength = opened.bodyLength;
    this.verified = new Uint8Array(Math.ceil(opened.bodyLength / pieceBytes / 8));
  }

  /** One more use. @returns false when it is closed */
  retain(): boolean {
    if (this.uses === 0) return false;
    this.uses++;
    return true;
  }

  release(): void {
    if (--this.uses === 0) this.owner.disk.close(this.fd);
  }

  /** Gives a body to be read, with a use of its own, as soon as its checksums are there. */
  body(opened: (body: FileBody | undefined) => void): void {
    if (!this.retain()) return opened(undefined);
    if (this.checksums !== undefined) return opened(new VerifiedBody(this));
    const { disk } = this.owner;
    const memory = Buffer.allocUnsafeSlow(trailerBytes(this.bodyLength));
    readFully(disk, this.fd, memory, 0, memory.length, this.layout.bodyOffset + this.bodyLength, (error, count) => {
      const checksums = count === memory.length ? decodeTrailer(memory, this.layout, this.bodyLength) : undefined;
      if (checksums !== undefined) {
        this.checksums = checksums;
        return opened(new VerifiedBody(this));
      }
      this.owner.broken(this, error ?? 'corrupt');
      this.release();
      opened(undefined);
    });
  }

  read(memory: Buffer, offset: number, length: number, position: number, done: BodyRead): void {
    const at = this.layout.bodyOffset + position;
    readFully(this.owner.disk, this.fd, memory, offset, length, at, (error, count) => {
      if (error !== null || count < length) return this.fail(error ?? 'corrupt', done);
      this.verify(memory.subarray(offset, offset + length), position, done);
    });
  }

  /**
   * Reads the whole body at once, where it was read a moment ago and is in the page cache.
   * @returns false when it was not read
   */
  readNow(memory: Buffer): boolean {
    const { disk, warmReads } = this.owner;
    if (this.uses === 0 || !warmReads.allow(this.readWholeAt)) return false;
    let count = 0;
    try {
      this.readWholeAt = warmReads.run(() => {
        count = disk.readNow(this.fd, memory, 0, this.bodyLength, this.layout.bodyOffset);
      });
    } catch {
      // Read as others are, it will tell what is wrong.
    }
    if (count === this.bodyLength) return true;
    this.readWholeAt = Number.NEGATIVE_INFINITY;
    return false;
  }

  /** Verifies every piece that the bytes touch and that was not yet. Those that stick out are read once more, whole. */
  private verify(bytes: Buffer, position: number, done: BodyRead): void {
    const last = Math.floor((position + bytes.length - 1) / pieceBytes);
    for (let index = Math.floor(position / pieceBytes); index <= last; index++) {
      if (this.isVerified(index)) continue;
      const start = index * pieceBytes;
      const end = Math.min(start + pieceBytes, this.bodyLength);
      if (start < position || end > position + bytes.length) return this.verifyPart(index, bytes, position, done);
      if (!this.matches(index, bytes.subarray(start - position, end - position))) return this.fail('corrupt', done);
      this.setVerified(index);
    }
    if (bytes.length === this.bodyLength) this.readWholeAt = this.owner.warmReads.time();
    done(null, bytes.length);
  }

  private verifyPart(index: number, bytes: Buffer, position: number, done: BodyRead): void {
    const start = index * pieceBytes;
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, this.bodyLength - start));
    const at = this.layout.bodyOffset + start;
    readFully(this.owner.disk, this.fd, piece, 0, piece.length, at, (error, count) => {
      if (error !== null || count < piece.length) return this.fail(error ?? 'corrupt', done);
      const from = Math.max(start, position);
      const to = Math.min(start + piece.length, position + bytes.length);
      const isSame = piece.subarray(from - start, to - start).equals(bytes.subarray(from - position, to - position));
      if (!isSame || !this.matches(index, piece)) return this.fail('corrupt', done);
      this.setVerified(index);
      this.verify(bytes, position, done);
    });
  }

  private matches(index: number, piece: Buffer): boolean {
    return this.checksums !== undefined && this.checksums.readUInt32LE(index * 4) === crc32(piece);
  }

  private isVerified(index: number): boolean {
    return ((this.verified[index >> 3] as number) & (1 << (index & 7))) !== 0;
  }

  private setVerified(index: number): void {
    this.verified[index >> 3] = (this.verified[index >> 3] as number) | (1 << (index & 7));
  }

  private fail(error: NodeJS.ErrnoException | 'corrupt', done: BodyRead): void {
    this.owner.broken(this, error);
    done(error === 'corrupt' ? new Error('the stored body is corrupt') : error, 0);
  }
}

export interface OpenedEntry {
  readonly fd: number;
  readonly hash: string;
  readonly storeKey: string;
  readonly layout: EntryLayout;
  readonly bodyLength: number;
}

class VerifiedBody implements FileBody {
  readonly length: number;
  private readonly file: EntryFile;

  constructor(file: EntryFile) {
    this.file = file;
    this.length = file.bodyLength;
  }

  read(memory: Buffer, offset: number, length: number, position: number, done: BodyRead): void {
    this.file.read(memory, offset, Math.min(length, this.length - position), position, done);
  }

  close(): void {
    this.file.release();
  }
}
