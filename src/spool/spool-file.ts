import type { GaugedBudget } from '../metrics/gauged-budget.ts';
import type { SpoolDisk } from './spool-disk.ts';

/** Why nothing more goes into a spool file. */
export type SpoolFailure =
  /** `spool.size` is used up. */
  | { readonly kind: 'full' }
  /** The disk is full, broken or refuses. */
  | { readonly kind: 'failed'; readonly error: Error };

/** Whom a file goes back to. */
export interface SpoolFileOwner {
  readonly disk: SpoolDisk;
  readonly budget: GaugedBudget;
  /** Something did not go in, or did not come out: counted and logged. */
  failed(failure: SpoolFailure): void;
  closed(fd: number): void;
}

/**
 * A file without a name, for a body that is too large for memory. Written and read at positions of the user's choice. It
 * may be closed at any time: the descriptor goes back when the last operation under way has come back, as a thread still
 * works on it.
 */
export class SpoolFile {
  private readonly owner: SpoolFileOwner;
  private readonly fd: number;
  /** Bytes of the budget that it has; they stay with it until it is closed. */
  private charged = 0;
  private operations = 0;
  private closing = false;

  constructor(owner: SpoolFileOwner, fd: number) {
    this.owner = owner;
    this.fd = fd;
  }

  /** Writes all of the memory; it must not change before `done`. Within this call `done` is called only for a full spool. */
  write(memory: Uint8Array, position: number, done: (failure: SpoolFailure | undefined) => void): void {
    if (!this.reserve(position + memory.length)) return done(this.full());
    this.operations++;
    this.writeFrom(memory, position, done);
  }

  /** As `write`, with the event loop waiting: for what cannot be kept in memory, and cannot be held up at its source. */
  writeNow(memory: Uint8Array, position: number): SpoolFailure | undefined {
    if (!this.reserve(position + memory.length)) return this.full();
    try {
      for (let rest = memory, at = position; rest.length > 0; ) {
        const count = this.owner.disk.writeNow(this.fd, rest, at);
        if (count === 0) throw new Error('the disk took nothing');
        rest = rest.subarray(count);
        at += count;
      }
      return undefined;
    } catch (error) {
      return this.failure(error as Error);
    }
  }

  /** Reads until the memory is full; what it fills was written before. */
  read(memory: Uint8Array, position: number, done: (failure: SpoolFailure | undefined) => void): void {
    this.operations++;
    this.readFrom(memory, position, done);
  }

  /** Nobody wants what it holds any more. */
  close(): void {
    if (this.closing) return;
    this.closing = true;
    this.owner.budget.give(this.charged);
    this.closeWhenIdle();
  }

  private writeFrom(memory: Uint8Array, position: number, done: (failure: SpoolFailure | undefined) => void): void {
    this.owner.disk.write(this.fd, memory, position, (error, count) => {
      if (error === null && count > 0 && count < memory.length && !this.closing) {
        return this.writeFrom(memory.subarray(count), position + count, done);
      }
      this.operationOver();
      if (error !== null) done(this.failure(error));
      else done(count === 0 ? this.failure(new Error('the disk took nothing')) : undefined);
    });
  }

  private readFrom(memory: Uint8Array, position: number, done: (failure: SpoolFailure | undefined) => void): void {
    this.owner.disk.read(this.fd, memory, position, (error, count) => {
      if (error === null && count > 0 && count < memory.length && !this.closing) {
        return this.readFrom(memory.subarray(count), position + count, done);
      }
      this.operationOver();
      if (error !== null) done(this.failure(error));
      else done(count === 0 ? this.failure(new Error('the spool file is shorter than what was written')) : undefined);
    });
  }

  private reserve(bytes: number): boolean {
    if (bytes <= this.charged) return true;
    if (!this.owner.budget.take(bytes - this.charged)) return false;
    this.charged = bytes;
    return true;
  }

  private operationOver(): void {
    this.operations--;
    this.closeWhenIdle();
  }

  private closeWhenIdle(): void {
    if (this.closing && this.operations === 0) this.owner.closed(this.fd);
  }

  private full(): SpoolFailure {
    const failure: SpoolFailure = { kind: 'full' };
    this.owner.failed(failure);
    return failure;
  }

  private failure(error: Error): SpoolFailure {
    const failure: SpoolFailure = { kind: 'failed', error };
    // What goes wrong after the end was asked for is nobody's loss.
    if (!this.closing) this.owner.failed(failure);
    return failure;
  }
}
