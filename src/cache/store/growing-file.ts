import {
  type EntryLayout,
  encodeSlot,
  encodeStart,
  encodeTrailer,
  fileBytes,
  fitsSlot,
  layoutFor,
  slotOffset,
} from './entry-format.ts';
import { PieceChecksums } from './piece-checksums.ts';
import { writeFully } from './store-disk.ts';
import { diskBytes } from './store-messages.ts';
import type { ZoneDisk } from './zone-disk.ts';

/** What may wait for the disk before whoever writes has to wait. */
export const writeBehindBytes = 512 * 1024;
/** Space is taken ahead in such steps while the length of a body is not known. */
const spaceStepBytes = 256 * 1024;

/** A file that is complete under its final name. */
export interface FinishedFile {
  readonly fd: number;
  readonly layout: EntryLayout;
  /** What it takes on disk. */
  readonly bytes: number;
}

/**
 * The file of an entry while it is written: space leased ahead of each write, what comes faster than the disk takes it held
 * in memory up to a bound, and a final name only when everything is in it. The first write happens when there is something
 * worth it, so that a small entry is one write and a rename.
 */
export class GrowingFile {
  /** Called when more can be taken. */
  onDrain: (() => void) | undefined;
  /** Called when `written` has grown or `path` is known, and at the failure. */
  onProgress: (() => void) | undefined;
  failed = false;
  /** Bytes of the body that are in the file. */
  written = 0;
  /** Where it is while it grows; undefined before the first write. */
  path: string | undefined;
  readonly layout: EntryLayout;
  private readonly zone: ZoneDisk;
  private readonly generation: number;
  private readonly checksums = new PieceChecksums();
  /** The head that it begins with: without the length of the body, for those that read along. */
  private readonly firstHead: Buffer;
  private readonly expectedBytes: number;
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private length = 0;
  private reserved = 0;
  private fd = -1;
  /** An operation is under way: nothing else touches the file before it has come back. */
  private busy = false;
  private ended = false;
  private eager = false;
  /** Whether there is something to be written that is worth it. */
  private wanted = false;
  private wroteNothing = true;
  private finishing: Finishing | undefined;

  /**
   * @param firstHead what those who read along find
   * @param bodyLength where it is known
   */
  constructor(zone: ZoneDisk, bodyNumber: bigint, firstHead: Buffer, bodyLength: number | undefined) {
    this.zone = zone;
    this.firstHead = firstHead;
    this.layout = layoutFor(firstHead.length, bodyNumber, bodyLength);
    this.generation = zone.lease.generation;
    this.expectedBytes = bodyLength === undefined ? 0 : diskBytes(fileBytes(this.layout, bodyLength));
  }

  get bodyOffset(): number {
    return this.layout.bodyOffset;
  }

  private get isWorthWriting(): boolean {
    return this.eager || this.pendingBytes >= writeBehindBytes / 8;
  }

  /** Memory that it holds. */
  get heldBytes(): number {
    return this.pendingBytes;
  }

  /** @param chunk is the file's from now on. @returns false when it holds as much as it may */
  append(chunk: Uint8Array): boolean {
    if (this.failed) return true;
    this.checksums.add(chunk);
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
    this.length += chunk.length;
    if (this.isWorthWriting) this.wanted = true;
    this.proceed();
    return this.pendingBytes < writeBehindBytes;
  }

  /** All of the body at once, and the end. */
  finishWith(body: Uint8Array, finishing: Finishing): void {
    this.checksums.add(body);
    this.pending.push(body);
    this.length = body.length;
    this.finish(finishing);
  }

  /** Somebody reads along: from now on everything is written as soon as it can. */
  share(): void {
    this.eager = true;
    this.wanted = true;
    this.proceed();
  }

  /**
   * Everything was appended: ends the file and gives it its name.
   */
  finish(finishing: Finishing): void {
    if (this.failed) return finishing.done(undefined);
    this.finishing = finishing;
    this.wanted = true;
    if (fitsSlot(this.layout, finishing.head)) this.proceed();
    else this.fail();
  }

  /** Nothing of it is kept. Too late once it is being ended. */
  abandon(): void {
    if (this.ended || this.finishing !== undefined) return;
    this.failed = true;
    if (!this.busy) this.end(undefined);
  }

  private proceed(): void {
    if (this.busy || this.failed || !this.wanted || this.ended) return;
    if (this.pending.length === 0 && this.finishing === undefined && this.fd !== -1) return;
    if (!this.reserve()) return;
    if (this.fd === -1) return this.create();
    if (this.finishing === undefined) return this.writePending();
    this.writeEnd(this.finishing);
  }

  /** Space for everything that the file will have after the next write. */
  private reserve(): boolean {
    const needed = diskBytes(fileBytes(this.layout, this.length));
    if (needed <= this.reserved) return true;
    const { lease } = this.zone;
    const more = Math.max(needed, this.finishing === undefined ? this.expectedBytes : 0) - this.reserved;
    const bytes = this.finishing === undefined && this.expectedBytes === 0 ? Math.max(more, spaceStepBytes) : more;
    if (lease.take(bytes)) {
      this.reserved += bytes;
      return true;
    }
    this.busy = true;
    lease.wait(bytes, (granted) => {
      this.busy = false;
      if (granted) this.reserved += bytes;
      else if (!this.failed) this.zone.failures.failed('slow', { wanted: bytes });
      if (this.failed) return this.end(undefined);
      if (granted) this.proceed();
      else this.fail();
    });
    return false;
  }

  private create(): void {
    this.busy = true;
    this.zone.create((error, fd, path) => {
      this.busy = false;
      if (error !== null) return this.failWith(error);
      this.fd = fd;
      this.path = path;
      if (this.failed) return this.end(undefined);
      // With the end known already everything goes in one write.
      if (this.finishing !== undefined) return this.proceed();
      this.write([encodeStart(this.layout, this.firstHead)], 0, () => {
        this.onProgress?.();
        this.proceed();
      });
    });
  }

  private writePending(): void {
    const chunks = this.pending;
    const bytes = this.pendingBytes;
    this.pending = [];
    this.write(chunks, this.layout.bodyOffset + this.written, () => {
      const wasFull = this.pendingBytes >= writeBehindBytes;
      this.pendingBytes -= bytes;
      this.written += bytes;
      this.wanted = this.isWorthWriting || this.finishing !== undefined;
      this.onProgress?.();
      if (wasFull && this.pendingBytes < writeBehindBytes) this.onDrain?.();
      this.proceed();
    });
  }

  private writeEnd({ head, mayPublish, path }: Finishing): void {
    const { layout } = this;
    const rest = [...this.pending, encodeTrailer(layout, this.checksums.finish())];
    this.pending = [];
    const publish = (): void => {
      this.written = this.length;
      this.pendingBytes = 0;
      if (!mayPublish()) return this.fail();
      this.busy = true;
      this.zone.publish(this.path as string, path, (error) => {
        this.busy = false;
        if (error !== null) return this.failWith(error);
        this.published();
      });
    };
    if (this.wroteNothing) {
      return this.write([encodeStart(layout, head), ...rest], 0, publish);
    }
    this.write(rest, layout.bodyOffset + this.written, () => {
      this.write([encodeSlot(head, 1)], slotOffset(layout, 0), publish);
    });
  }

  private write(chunks: readonly Uint8Array[], position: number, done: () => void): void {
    this.busy = true;
    this.wroteNothing = false;
    writeFully(this.zone.disk, this.fd, chunks, position, (error) => {
      this.busy = false;
      if (error !== null) return this.failWith(error);
      if (this.failed) return this.end(undefined);
      done();
    });
  }

  private published(): void {
    const bytes = diskBytes(fileBytes(this.layout, this.length));
    const { lease } = this.zone;
    lease.give(this.reserved - bytes, this.generation);
    this.reserved = 0;
    this.path = undefined;
    this.end({ fd: this.fd, layout: this.layout, bytes });
  }

  private failWith(error: NodeJS.ErrnoException): void {
    this.zone.failures.notWritten(error);
    this.fail();
  }

  private fail(): void {
    if (this.ended) return;
    this.failed = true;
    this.end(undefined);
  }

  /** Once, when nothing is under way any more. */
  private end(file: FinishedFile | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.pending = [];
    this.pendingBytes = 0;
    if (file === undefined) this.discard();
    this.finishing?.done(file);
    this.onProgress?.();
    this.onDrain?.();
  }

  /** The space is free again when the file is gone. */
  private discard(): void {
    const { disk, lease } = this.zone;
    const { reserved, generation, path } = this;
    this.reserved = 0;
    if (this.fd !== -1) disk.close(this.fd);
    if (path === undefined) return lease.give(reserved, generation);
    disk.unlink(path, () => lease.give(reserved, generation));
  }
}

/** How a file is to be ended. */
export interface Finishing {
  /** The head with everything in it. */
  readonly head: Buffer;
  /** The final name. */
  readonly path: string;
  /** Asked right before the file gets its name. */
  readonly mayPublish: () => boolean;
  /** Undefined: it was not stored. The descriptor goes to whom it is said. */
  readonly done: (file: FinishedFile | undefined) => void;
}
