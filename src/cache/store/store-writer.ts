import type { EntryWriter, StoreEntry } from '../response-store.ts';
import type { StoredResponse } from '../stored-response.ts';
import type { GrowingFile } from './growing-file.ts';
import type { MemoryStore } from './memory-store.ts';

/** What a body of unknown length gets at first. */
const firstBytes = 8 * 1024;
/** What may be left unused of the memory of a body: less than a copy is worth. */
const largestWaste = 512;

/** What a writer needs of its store. */
export interface WriterOwner {
  readonly memory: MemoryStore;
  /** Bytes; larger bodies go to a file at once, or are not stored. */
  readonly memoryEntry: number;
  /** A file to go on in; undefined where there can be none. */
  grow(writer: StoreWriter): GrowingFile | undefined;
  /** The body is complete, in memory. */
  keep(writer: StoreWriter, body: Buffer, done: (entry: StoreEntry | undefined) => void): void;
  /** The body is complete, in its file but for what it still holds. */
  keepFile(writer: StoreWriter, file: GrowingFile, done: (entry: StoreEntry | undefined) => void): void;
}

/**
 * A response on its way into the store: gathered in memory while it is small, in a file from the moment on in which it is too
 * large for that, or somebody else reads along.
 */
export class StoreWriter implements EntryWriter {
  readonly storeKey: string;
  readonly response: Omit<StoredResponse, 'bodyLength'>;
  readonly bodyLength: number | undefined;
  /** Bytes of body so far. */
  length = 0;
  failed = false;
  onDrain: (() => void) | undefined;
  onProgress: (() => void) | undefined;
  private readonly owner: WriterOwner;
  /** Undefined when everything is in the file. */
  private memory: Buffer | undefined;
  private gathered = 0;
  private growing: GrowingFile | undefined;
  private ended = false;

  constructor(
    owner: WriterOwner,
    storeKey: string,
    response: Omit<StoredResponse, 'bodyLength'>,
    bodyLength: number | undefined,
  ) {
    this.owner = owner;
    this.storeKey = storeKey;
    this.response = response;
    this.bodyLength = bodyLength;
    this.memory = undefined;
    if (!this.reserve(bodyLength ?? Math.min(firstBytes, owner.memoryEntry))) this.toFile();
  }

  get written(): number {
    return this.growing === undefined ? this.length : this.growing.written;
  }

  get file(): { readonly path: string; readonly bodyOffset: number } | undefined {
    const { growing } = this;
    return growing?.path === undefined ? undefined : { path: growing.path, bodyOffset: growing.bodyOffset };
  }

  write(chunk: Uint8Array): boolean {
    if (this.failed || this.ended) return true;
    const length = this.length + chunk.length;
    if (this.bodyLength !== undefined && length > this.bodyLength) this.fail();
    else if (this.growing !== undefined) return this.append(chunk);
    else if (this.reserve(length)) {
      this.memory?.set(chunk, this.length);
      this.length = length;
      this.onProgress?.();
    } else {
      this.toFile();
      if (!this.failed) return this.append(chunk);
    }
    return true;
  }

  held(position: number): Uint8Array | undefined {
    if (this.growing !== undefined || position >= this.length) return undefined;
    return this.memory?.subarray(position, this.length);
  }

  share(): void {
    if (this.ended || this.failed) return;
    if (this.growing === undefined) this.toFile();
    this.growing?.share();
  }

  commit(done: (entry: StoreEntry | undefined) => void): void {
    if (this.ended) return;
    this.ended = true;
    const isWhole = this.bodyLength === undefined || this.bodyLength === this.length;
    if (this.failed || !isWhole) {
      this.drop();
      return setImmediate(done, undefined) as unknown as void;
    }
    if (this.growing !== undefined) return this.owner.keepFile(this, this.growing, done);
    const body = this.trimmed();
    this.release();
    this.owner.keep(this, body, done);
  }

  abandon(): void {
    if (this.ended) return;
    this.ended = true;
    this.drop();
  }

  /** The body in memory that is no larger than it, or little. */
  private trimmed(): Buffer {
    const { memory, length } = this;
    if (memory !== undefined && memory.length - length <= largestWaste) return memory.subarray(0, length);
    const body = Buffer.allocUnsafeSlow(length);
    memory?.copy(body, 0, 0, length);
    return body;
  }

  private append(chunk: Uint8Array): boolean {
    this.length += chunk.length;
    return this.growing?.append(Buffer.from(chunk)) ?? true;
  }

  /** Memory for a body of that length. @returns false when it is too large, or there is none */
  private reserve(length: number): boolean {
    const { memory, memoryEntry } = this.owner;
    if (length <= this.gathered) return true;
    if (length > memoryEntry) return false;
    const size = this.bodyLength ?? Math.min(memoryEntry, Math.max(length, this.gathered * 2));
    if (!memory.gather(size - this.gathered)) return false;
    this.gathered = size;
    const larger = Buffer.allocUnsafeSlow(size);
    if (this.memory !== undefined) this.memory.copy(larger, 0, 0, this.length);
    this.memory = larger;
    return true;
  }

  private toFile(): void {
    const growing = this.owner.grow(this);
    if (growing === undefined) return this.fail();
    growing.onProgress = () => this.progress();
    growing.onDrain = () => this.onDrain?.();
    this.growing = growing;
    // What it gathered is the file's now.
    if (this.length > 0 && this.memory !== undefined) growing.append(this.memory.subarray(0, this.length));
    this.release();
  }

  private progress(): void {
    if (this.growing?.failed === true) this.failed = true;
    this.onProgress?.();
  }

  private fail(): void {
    this.failed = true;
    this.drop();
    this.onProgress?.();
  }

  private drop(): void {
    this.growing?.abandon();
    this.release();
  }

  private release(): void {
    this.owner.memory.gathered(this.gathered);
    this.gathered = 0;
    this.memory = undefined;
  }
}
