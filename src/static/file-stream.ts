import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Disk } from './disk.ts';
import type { DiskTempo } from './disk-tempo.ts';
import { identityOf } from './file-identity.ts';
import { PieceSize } from './piece-size.ts';
import type { FileResponse } from './range-response.ts';
import type { ReadBuffer, ReadBufferPool, ReadBufferWaiter } from './read-buffer-pool.ts';
import type { Representation } from './representation.ts';

/** Largest piece read with the event loop waiting: what stays in the processor's cache until it is sent. */
const maxReadNowBytes = 256 * 1024;
/** Then it is others' turn. */
const maxTurnBytes = 512 * 1024;

/** What streaming needs from the worker. */
export interface StreamResources {
  readonly disk: Disk;
  readonly buffers: ReadBufferPool;
  /** Whether pieces come out of the system's memory: apart from that of small looks, as these are other files. */
  readonly tempo: DiskTempo;
  /** Downloads cut because the file changed. */
  readonly changed: Counter;
}

export function streamResources(
  disk: Disk,
  buffers: ReadBufferPool,
  tempo: DiskTempo,
  recorder: Recorder,
): StreamResources {
  return { disk, buffers, tempo, changed: recorder.counter(metricNames.fileChangedWhileServed, {}) };
}

/**
 * Sends parts of an open file through lent memory: read a piece, hand it to the connection, and while a client takes it
 * read the next one. It owns the descriptor and gives everything back on every way out; memory and descriptor never
 * before a read that is under way has come back, because a thread writes into them.
 *
 * A client that takes everything at once is served from one piece over and over, which stays in the processor's cache.
 *
 * What the system has in memory the event loop copies itself, a piece of tens of microseconds; the first piece of a file
 * on a local disk a thread reads in any case, which has the system read ahead.
 */
export class FileStream implements ReadBufferWaiter {
  private readonly context: RequestContext;
  private readonly fd: number;
  private readonly representation: Representation;
  private readonly response: FileResponse;
  private readonly resources: StreamResources;
  private readonly pieceSize = new PieceSize();

  private segment = 0;
  /** Where to read next within the file; -1 when the segment has not been started. */
  private position = -1;
  /** The piece being read into, or read and not sent. */
  private ahead: ReadBuffer | undefined;
  private aheadLength = 0;
  /** The piece that the connection holds. */
  private held: ReadBuffer | undefined;
  private reading = false;
  private readonly isLocal: boolean;
  private isFirstRead = true;
  /** Bytes read since others had their turn. */
  private turnBytes = 0;
  private pausing = false;
  private waiting = false;
  private stalled = false;
  private closed = false;

  constructor(
    context: RequestContext,
    fd: number,
    representation: Representation,
    response: FileResponse,
    resources: StreamResources,
    isLocal = false,
  ) {
    this.isLocal = isLocal;
    this.context = context;
    this.fd = fd;
    this.representation = representation;
    this.response = response;
    this.resources = resources;
  }

  start(): void {
    const { exchange } = this.context;
    if (exchange.aborted) return this.close();
    exchange.onAborted = () => this.close();
    exchange.onDrain = () => this.drained();
    this.proceed();
  }

  granted(buffer: ReadBuffer): void {
    this.waiting = false;
    this.readInto(buffer);
    // What was read at once has nobody else to send it.
    this.proceed();
  }

  timedOut(): void {
    this.waiting = false;
    this.fail(new PorticoError('file_unreadable', 'no memory for reading became free in time'));
  }

  /** Does what can be done next, until it has to wait for the disk, for memory or for the client. */
  private proceed(): void {
    while (!this.closed && !this.stalled && !this.reading && !this.waiting && !this.pausing) {
      if (this.aheadLength > 0) this.sendPiece();
      else {
        const segment = this.response.segments[this.segment];
        if (segment === undefined) return this.finish();
        if (segment instanceof Uint8Array) this.sendText(segment);
        else this.readNext();
      }
    }
  }

  private sendText(text: Buffer): void {
    this.segment++;
    this.stalled = !this.send(text);
  }

  private sendPiece(): void {
    const buffer = this.ahead;
    if (buffer === undefined) return;
    const piece = buffer.memory.subarray(0, this.aheadLength);
    if (this.isLastPiece() && this.hasChanged()) return this.failChanged();
    this.aheadLength = 0;
    const taken = this.send(piece);
    // The client may go away while it is written to: then everything has been given back already.
    if (this.closed) return;
    if (taken) {
      // Its memory is free again: kept for the next read.
      this.pieceSize.taken();
      return;
    }
    this.held = buffer;
    this.ahead = undefined;
    this.stalled = true;
    this.pieceSize.stalled(piece.length);
    this.readAhead();
  }

  private send(chunk: Uint8Array): boolean {
    const { exchange } = this.context;
    return exchange.responded
      ? exchange.write(chunk)
      : exchange.stream(this.response.head, this.response.length, chunk);
  }

  private drained(): void {
    if (this.closed || !this.stalled) return;
    this.stalled = false;
    this.turnBytes = 0;
    this.pieceSize.drained();
    this.releaseHeld();
    this.proceed();
  }

  /** Reads while the client is busy, if it is a fast one and memory is there without queueing. */
  private readAhead(): void {
    const segment = this.response.segments[this.segment];
    if (this.reading || segment === undefined || segment instanceof Uint8Array || !this.pieceSize.isFast) return;
    // What is read in no time need not be read before.
    if (this.mayReadNow()) return;
    const buffer = this.resources.buffers.tryAcquire(this.pieceSize.bytes);
    if (buffer !== undefined) this.readInto(buffer);
  }

  private readNext(): void {
    const { buffers } = this.resources;
    const kept = this.ahead;
    const now = this.mayReadNow();
    if (now && this.turnBytes >= maxTurnBytes) return this.pause();
    const wanted = now ? Math.min(maxReadNowBytes, this.pieceSize.bytes) : this.pieceSize.bytes;
    if (kept !== undefined && (kept.memory.length >= wanted || buffers.waiting > 0)) return this.readInto(kept);
    const buffer = buffers.tryAcquire(wanted);
    if (buffer !== undefined) {
      this.releaseAhead();
      return this.readInto(buffer);
    }
    if (kept !== undefined) return this.readInto(kept);
    this.waiting = true;
    buffers.wait(this);
  }

  private readInto(buffer: ReadBuffer): void {
    this.ahead = buffer;
    const segment = this.response.segments[this.segment];
    if (segment === undefined || segment instanceof Uint8Array) return;
    if (this.position < 0) this.position = segment.first;
    const length = Math.min(buffer.memory.length, segment.last + 1 - this.position);
    if (this.readNow(buffer.memory, length)) return;
    this.isFirstRead = false;
    this.reading = true;
    this.resources.disk.read(this.fd, buffer.memory, 0, length, this.position, this.readDone);
  }

  private readonly readDone = (error: NodeJS.ErrnoException | null, bytesRead: number): void => {
    this.reading = false;
    if (this.closed) return this.giveBack();
    if (error !== null) return this.fail(new PorticoError('file_unreadable', error.message, { cause: error }));
    if (bytesRead === 0) return this.failChanged();
    this.hasRead(bytesRead);
    this.turnBytes = 0;
    this.proceed();
  };

  private hasRead(bytes: number): void {
    this.aheadLength = bytes;
    this.position += bytes;
    const segment = this.response.segments[this.segment];
    if (segment === undefined || segment instanceof Uint8Array || this.position <= segment.last) return;
    this.segment++;
    this.position = -1;
  }

  private mayReadNow(): boolean {
    return this.isLocal && !this.isFirstRead && this.resources.tempo.mayWait(performance.now());
  }

  /** @returns false when a thread has to read: to keep the loop free, or to meet the same error and tell of it */
  private readNow(memory: Buffer, wanted: number): boolean {
    if (!this.mayReadNow()) return false;
    const { disk, tempo } = this.resources;
    const begin = performance.now();
    let bytes = 0;
    try {
      bytes = disk.readNow(this.fd, memory, 0, Math.min(wanted, maxReadNowBytes), this.position);
    } catch {
      // As `bytes` says.
    }
    tempo.waited(begin, performance.now());
    if (bytes === 0) return false;
    this.turnBytes += bytes;
    this.hasRead(bytes);
    return true;
  }

  /** Lets others have their turn. */
  private pause(): void {
    this.pausing = true;
    setImmediate(() => {
      this.pausing = false;
      this.turnBytes = 0;
      this.proceed();
    });
  }

  /** Whether only text, or nothing, follows what was read. */
  private isLastPiece(): boolean {
    return this.segment >= this.response.segments.length - 1 && this.position < 0;
  }

  /**
   * Whether what was sent may be a mixture. A file that has only grown is taken for one that is appended to, such as a
   * log: what was announced of it is still true.
   */
  private hasChanged(): boolean {
    const { identity } = this.representation;
    try {
      const now = identityOf(this.resources.disk.fstat(this.fd));
      return now.size < identity.size || (now.size === identity.size && now.mtimeNs !== identity.mtimeNs);
    } catch {
      return true;
    }
  }

  private finish(): void {
    const { exchange } = this.context;
    this.close();
    exchange.end();
  }

  private failChanged(): void {
    this.resources.changed.add(1);
    this.fail(new PorticoError('file_unreadable', 'the file was truncated or replaced while it was served'));
  }

  private fail(error: PorticoError): void {
    this.close();
    respondError(this.context, error);
  }

  /** Gives everything back, now or when the read under way has come back. */
  private close(): void {
    if (this.closed) return;
    this.closed = true;
    const { exchange } = this.context;
    exchange.onAborted = undefined;
    exchange.onDrain = undefined;
    if (this.waiting) this.resources.buffers.cancel(this);
    this.releaseHeld();
    if (!this.reading) this.giveBack();
  }

  private giveBack(): void {
    this.releaseAhead();
    this.resources.disk.close(this.fd);
  }

  private releaseAhead(): void {
    if (this.ahead === undefined) return;
    this.resources.buffers.release(this.ahead);
    this.ahead = undefined;
  }

  private releaseHeld(): void {
    if (this.held === undefined) return;
    this.resources.buffers.release(this.held);
    this.held = undefined;
  }
}
