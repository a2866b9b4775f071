import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import { PieceSize } from '../static/piece-size.ts';
import type { FileResponse } from '../static/range-response.ts';
import type { ReadBuffer, ReadBufferPool, ReadBufferWaiter } from '../static/read-buffer-pool.ts';
import type { FileBody, StoreEntry } from './response-store.ts';

/**
 * Sends a stored body that is too large to be given away whole: from memory, where a slow client pins it, or from its file
 * through lent memory, piece by piece as the client takes them. What was read is verified before it goes out.
 */
export class EntryStream implements ReadBufferWaiter {
  private readonly context: RequestContext;
  private readonly entry: StoreEntry;
  private readonly response: FileResponse;
  private readonly buffers: ReadBufferPool;
  private readonly gone: (context: RequestContext) => void;
  private readonly pieceSize = new PieceSize();
  private body: FileBody | undefined;
  private segment = 0;
  /** Where to go on within the segment; -1 when it has not been started. */
  private position = -1;
  private buffer: ReadBuffer | undefined;
  private reading = false;
  private waiting = false;
  private stalled = false;
  private closed = false;
  private pinned = false;

  /** @param gone answers otherwise when the body cannot be read and nothing of it was sent */
  constructor(
    context: RequestContext,
    entry: StoreEntry,
    response: FileResponse,
    buffers: ReadBufferPool,
    gone: (context: RequestContext) => void,
  ) {
    this.context = context;
    this.entry = entry;
    this.response = response;
    this.buffers = buffers;
    this.gone = gone;
  }

  start(): void {
    const { exchange } = this.context;
    if (exchange.aborted) return;
    exchange.onAborted = () => this.close();
    exchange.onDrain = () => this.drained();
    if (this.entry.contents !== undefined) return this.proceed();
    this.entry.openBody((body) => this.opened(body));
  }

  granted(buffer: ReadBuffer): void {
    this.waiting = false;
    this.readInto(buffer);
  }

  timedOut(): void {
    this.waiting = false;
    this.fail(new PorticoError('file_unreadable', 'no memory for reading became free in time'));
  }

  private opened(body: FileBody | undefined): void {
    if (this.closed) return body?.close();
    if (body === undefined) return this.unreadable('the stored response is gone', undefined);
    this.body = body;
    this.proceed();
  }

  private proceed(): void {
    while (!this.closed && !this.stalled && !this.reading && !this.waiting) {
      const segment = this.response.segments[this.segment];
      if (segment === undefined) return this.finish();
      if (segment instanceof Uint8Array) {
        this.segment++;
        this.stalled = !this.send(segment);
      } else if (this.entry.contents !== undefined) {
        this.segment++;
        this.sendHeld(this.entry.contents.subarray(segment.first, segment.last + 1));
      } else {
        this.readNext();
      }
    }
  }

  /** A client that takes it slowly holds memory of the store: it counts as long as it does. */
  private sendHeld(chunk: Buffer): void {
    this.stalled = !this.send(chunk);
    if (!this.stalled || this.closed || this.pinned) return;
    this.pinned = true;
    this.entry.pin();
  }

  private readNext(): void {
    const buffer = this.buffers.tryAcquire(this.pieceSize.bytes);
    if (buffer !== undefined) return this.readInto(buffer);
    this.waiting = true;
    this.buffers.wait(this);
  }

  private readInto(buffer: ReadBuffer): void {
    const segment = this.response.segments[this.segment];
    this.buffer = buffer;
    if (segment === undefined || segment instanceof Uint8Array || this.body === undefined) return;
    if (this.position < 0) this.position = segment.first;
    const length = Math.min(buffer.memory.length, segment.last + 1 - this.position);
    this.reading = true;
    this.body.read(buffer.memory, 0, length, this.position, this.wasRead);
  }

  private readonly wasRead = (error: Error | null, bytesRead: number): void => {
    this.reading = false;
    const { buffer } = this;
    if (this.closed || buffer === undefined) return this.giveBack();
    if (error !== null || bytesRead === 0) {
      return this.unreadable(error?.message ?? 'the stored response ended too early', error);
    }
    this.position += bytesRead;
    const segment = this.response.segments[this.segment];
    if (segment !== undefined && !(segment instanceof Uint8Array) && this.position > segment.last) {
      this.segment++;
      this.position = -1;
    }
    const taken = this.send(buffer.memory.subarray(0, bytesRead));
    if (this.closed) return;
    if (taken) {
      this.pieceSize.taken();
      this.releaseBuffer();
    } else {
      this.stalled = true;
      this.pieceSize.stalled(bytesRead);
    }
    this.proceed();
  };

  private send(chunk: Uint8Array): boolean {
    const { exchange } = this.context;
    if (exchange.responded) return exchange.write(chunk);
    return exchange.stream(this.response.head, this.response.length, chunk);
  }

  private drained(): void {
    if (this.closed || !this.stalled) return;
    this.stalled = false;
    this.pieceSize.drained();
    this.releaseBuffer();
    this.proceed();
  }

  private finish(): void {
    const { exchange } = this.context;
    this.close();
    exchange.end();
  }

  private unreadable(reason: string, cause: unknown): void {
    if (this.context.exchange.responded) {
      return this.fail(new PorticoError('file_unreadable', reason, { cause }));
    }
    this.close();
    this.gone(this.context);
  }

  private fail(error: PorticoError): void {
    if (this.closed) return;
    this.close();
    respondError(this.context, error);
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    const { exchange } = this.context;
    exchange.onAborted = undefined;
    exchange.onDrain = undefined;
    if (this.pinned) this.entry.unpin();
    if (this.waiting) this.buffers.cancel(this);
    if (!this.reading) this.giveBack();
  }

  private giveBack(): void {
    this.releaseBuffer();
    this.body?.close();
    this.body = undefined;
  }

  private releaseBuffer(): void {
    if (this.buffer !== undefined) this.buffers.release(this.buffer);
    this.buffer = undefined;
  }
}
