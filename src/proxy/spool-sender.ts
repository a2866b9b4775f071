import type { PorticoError } from '../response/portico-error.ts';
import type { SpoolFailure, SpoolFile } from '../spool/spool-file.ts';
import type { ReadBuffer, ReadBufferPool, ReadBufferWaiter } from '../static/read-buffer-pool.ts';
import type { Connection } from '../upstream/connection.ts';
import { memoryError } from './buffering.ts';

/** Bytes read and sent at once. */
const pieceBytes = 65_536;

/** Who is told how the sending goes. */
export interface SpoolSenderOwner {
  sentSome(): void;
  /** The last piece was handed to the connection. */
  sentAll(): void;
  fail(failure: SpoolFailure): void;
  failWith(error: PorticoError): void;
}

/** Sends a file over a connection, through one piece of lent memory: the next is read when the last one has left. */
export class SpoolSender implements ReadBufferWaiter {
  private readonly owner: SpoolSenderOwner;
  private readonly file: SpoolFile;
  private readonly size: number;
  private readonly memory: ReadBufferPool;
  private connection: Connection | undefined;
  private head = '';
  private position = 0;
  private buffer: ReadBuffer | undefined;
  private waiting = false;
  private reading = false;
  private stopped = false;

  constructor(owner: SpoolSenderOwner, file: SpoolFile, size: number, memory: ReadBufferPool) {
    this.owner = owner;
    this.file = file;
    this.size = size;
    this.memory = memory;
  }

  /** Sends the head and the file, from its beginning. May be called again once the former connection has ended. */
  send(connection: Connection, head: string): void {
    this.connection = connection;
    this.head = head;
    this.position = 0;
    this.proceed();
  }

  /** The connection has ended, or took everything: gives back what is lent. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.connection = undefined;
    if (this.waiting) this.memory.cancel(this);
    if (!this.reading) this.releaseMemory();
  }

  granted(buffer: ReadBuffer): void {
    this.waiting = false;
    this.buffer = buffer;
    this.proceed();
  }

  timedOut(): void {
    this.waiting = false;
    this.owner.failWith(memoryError());
  }

  private proceed(): void {
    // A read for a former connection comes back first, and then begins anew.
    if (this.reading || this.waiting || this.stopped) return;
    this.buffer ??= this.memory.tryAcquire(pieceBytes);
    if (this.buffer === undefined) {
      this.waiting = true;
      this.memory.wait(this);
      return;
    }
    const { connection, position } = this;
    const piece = this.buffer.memory.subarray(0, Math.min(this.buffer.memory.length, this.size - position));
    this.reading = true;
    this.file.read(piece, position, (failure) => {
      this.reading = false;
      if (this.stopped) return this.releaseMemory();
      if (failure !== undefined) return this.owner.fail(failure);
      if (connection === this.connection && position === this.position) this.sendPiece(piece);
      else this.proceed();
    });
  }

  private sendPiece(piece: Buffer): void {
    const { connection, head } = this;
    if (connection === undefined) return;
    this.head = '';
    this.position += piece.length;
    if (this.position === this.size) this.owner.sentAll();
    connection.sendThen(head, piece, () => {
      if (connection === this.connection && this.position < this.size) this.proceed();
    });
    this.owner.sentSome();
  }

  private releaseMemory(): void {
    if (this.buffer !== undefined) this.memory.release(this.buffer);
    this.buffer = undefined;
  }
}
