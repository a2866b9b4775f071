import type { ResponseSink } from '../../proxy/response-sink.ts';
import { ResponseHead } from '../../response/response-head.ts';
import type { ReadBufferPool } from '../../static/read-buffer-pool.ts';
import type { EntryWriter, StoreEntry } from '../response-store.ts';
import { BodyReader } from './body-reader.ts';
import type { BodySource } from './body-source.ts';
import { FollowedFile } from './followed-file.ts';
import { HeldBytes } from './held-bytes.ts';

/** How long the upstream waits for a store that does not follow, milliseconds. Then the response goes on without being stored. */
const storeStallMs = 1000;
/** What is kept in memory for clients that are behind when there is no file: beyond it the upstream waits for them. */
const heldBound = 256 * 1024;

/** What becomes of a response that arrives. */
export interface LiveEvents {
  /** All of it has come. `entry` is undefined where it was not stored; called once unless `failed` is. */
  complete(entry: StoreEntry | undefined): void;
  /** The store did not follow, and was given up. */
  storeSlow(): void;
  /** There is more for those who read along in other processes. */
  progressed(): void;
}

/**
 * A response that arrives from upstream: goes into the store and to everybody who asked for it, at once. Whoever falls
 * behind reads from the file on; nobody makes the others wait. Where there is no file, or no more, the upstream waits.
 */
export class LiveResponse implements ResponseSink, BodySource {
  onDrain: (() => void) | undefined;
  received = 0;
  length: number | undefined;
  complete = false;
  private readonly events: LiveEvents;
  private readonly buffers: ReadBufferPool;
  private readonly maxEntry: number;
  private readonly readers = new Set<BodyReader>();
  private readonly kept = new HeldBytes();
  private followed: FollowedFile | undefined;
  private leader: BodyReader | undefined;
  private leaderSink: ResponseSink | undefined;
  private started = false;
  private writer: EntryWriter | undefined;
  private stallTimer: NodeJS.Timeout | undefined;
  private ended = false;
  /** Whether the upstream waits. */
  private paused = false;
  private isCommitted = false;

  /**
   * @param leaderSink who asked upstream; undefined for nobody
   * @param writer     undefined when it is not stored
   */
  constructor(
    leaderSink: ResponseSink | undefined,
    writer: EntryWriter | undefined,
    maxEntry: number,
    buffers: ReadBufferPool,
    events: LiveEvents,
  ) {
    this.leaderSink = leaderSink;
    this.writer = writer;
    this.maxEntry = maxEntry;
    this.buffers = buffers;
    this.events = events;
    if (writer === undefined) return;
    writer.onProgress = () => this.progressed();
    writer.onDrain = () => this.storeDrained();
  }

  /** Whether it is being stored, so that it is worth finishing without anybody who waits. */
  get isStored(): boolean {
    return this.writer !== undefined;
  }

  get readerCount(): number {
    return this.readers.size;
  }

  get bytesSent(): number {
    return this.leaderSink?.bytesSent ?? this.received;
  }

  /** For followers in other processes; undefined while there is no file. */
  get stored(): { readonly path: string; readonly bodyOffset: number; readonly written: number } | undefined {
    const { writer } = this;
    return writer?.file === undefined || writer.failed ? undefined : { ...writer.file, written: writer.written };
  }

  /** Others in another process want to read along. */
  share(): void {
    this.writer?.share();
  }

  // --- what the upstream gives ---

  respond(head: ResponseHead, body: Uint8Array): void {
    const { leaderSink } = this;
    this.begin(body.length);
    const copy = this.readers.size > 0 ? Buffer.from(body) : body;
    this.received = body.length;
    this.writer?.write(body);
    // For those who come before it is in the store.
    if (this.writer !== undefined) this.kept.append(0, body);
    for (const reader of this.readers) reader.takeWhole(copy);
    leaderSink?.respond(head, body);
    this.finish();
  }

  respondHead(head: ResponseHead, length: number | undefined): void {
    this.leaderSink?.respondHead(head, length);
    this.begin(0);
    this.finish();
  }

  stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    const { leaderSink } = this;
    this.begin(length);
    if (leaderSink !== undefined) {
      // In memory of its own: it may go out only after the upstream's next piece was read.
      this.leader = this.newReader(leaderSink, new ResponseHead(head.status, Buffer.from(head.block)));
      this.leader.begin();
    }
    for (const reader of this.readers) reader.begin();
    return chunk === undefined ? true : this.write(chunk);
  }

  write(chunk: Uint8Array): boolean {
    const before = this.received;
    const { writer } = this;
    if (writer !== undefined && before + chunk.length > this.maxEntry) this.giveUpStoring();
    const storing = this.writer;
    const direct = [...this.readers].filter((reader) => reader.isCurrent);
    this.received += chunk.length;
    for (const reader of direct) reader.take(chunk);
    // Written behind it: a client is not to wait for the store.
    const storeTakesMore = storing === undefined || storing.write(chunk);
    if (storing !== undefined || this.hasReaderBehind()) this.kept.append(before, chunk);
    this.trim();
    if (this.writer !== undefined && !storeTakesMore) return this.awaitStore();
    return this.awaitReaders();
  }

  copyHeld(): void {}

  end(): void {
    // A response whose announced length was not reached is cut, never taken for whole.
    if (this.length !== undefined && this.received < this.length) return this.abort();
    this.finish();
  }

  abort(): void {
    if (this.ended) return;
    this.ended = true;
    this.stop();
    for (const reader of this.readers) reader.cut();
  }

  // --- those who read along ---

  /**
   * Another client gets the response, too.
   * @param head as that client gets it; must stay as it is
   * @returns undefined when it comes too late: a part of the body is nowhere any more
   */
  attach(sink: ResponseSink, head: ResponseHead): BodyReader | undefined {
    if (this.ended && !this.complete) return undefined;
    if (this.kept.start > 0 && (this.writer === undefined || !this.openFile())) return undefined;
    const reader = this.newReader(sink, head);
    if (this.started) reader.begin();
    reader.proceed();
    return reader;
  }

  /** The client that asked upstream has gone. */
  leaderGone(): void {
    this.leaderSink = undefined;
    this.leader?.close();
    this.leader = undefined;
  }

  held(position: number): Uint8Array | undefined {
    return this.kept.from(position);
  }

  get file(): FollowedFile | undefined {
    return this.followed;
  }

  get inFile(): number {
    return this.isCommitted ? this.received : (this.writer?.written ?? this.kept.start);
  }

  left(reader: object): void {
    this.readers.delete(reader as BodyReader);
    this.moved();
    if (this.ended && this.readers.size === 0) this.closeFile();
  }

  moved(): void {
    if (!this.paused || this.stallTimer !== undefined) return;
    this.trim();
    if (this.writer === undefined && this.kept.length > heldBound / 2 && this.hasReaderBehind()) return;
    this.paused = false;
    this.onDrain?.();
  }

  private newReader(sink: ResponseSink, head: ResponseHead): BodyReader {
    const reader = new BodyReader(sink, head, this, this.buffers);
    this.readers.add(reader);
    return reader;
  }

  private begin(length: number | undefined): void {
    this.started = true;
    this.length = length;
  }

  private hasReaderBehind(): boolean {
    for (const reader of this.readers) if (!reader.isCurrent) return true;
    return false;
  }

  /** Lets go of what is in the file, or what everybody has. */
  private trim(): void {
    const { writer } = this;
    let needed = this.received;
    for (const reader of this.readers) needed = Math.min(needed, reader.position);
    if (writer === undefined) return this.kept.dropBefore(needed);
    // As long as there is no file, what is in memory is all there is for those who come late.
    if (writer.file === undefined) return;
    if (needed < writer.written && this.file === undefined && !this.openFile()) return;
    this.kept.dropBefore(writer.written);
  }

  private openFile(): boolean {
    const file = this.writer?.file;
    if (file !== undefined) this.followed ??= FollowedFile.open(file);
    return this.followed !== undefined;
  }

  private closeFile(): void {
    this.followed?.leave();
    this.followed = undefined;
  }

  private awaitReaders(): boolean {
    if (this.writer !== undefined || this.kept.length <= heldBound || !this.hasReaderBehind()) return true;
    this.paused = true;
    return false;
  }

  private awaitStore(): boolean {
    this.paused = true;
    this.stallTimer ??= setTimeout(() => {
      this.stallTimer = undefined;
      this.events.storeSlow();
      this.giveUpStoring();
      this.moved();
    }, storeStallMs);
    return false;
  }

  private storeDrained(): void {
    if (this.stallTimer === undefined) return;
    clearTimeout(this.stallTimer);
    this.stallTimer = undefined;
    this.moved();
  }

  private progressed(): void {
    const { writer } = this;
    if (writer?.failed === true) {
      this.giveUpStoring();
      this.storeDrained();
    }
    this.trim();
    for (const reader of this.readers) reader.proceed();
    this.events.progressed();
  }

  /** The response goes on without being stored. */
  private giveUpStoring(): void {
    const { writer } = this;
    if (writer === undefined) return;
    // What is in the file by now can be read on by those who are behind.
    if (this.hasReaderBehind()) this.openFile();
    this.writer = undefined;
    writer.onProgress = undefined;
    writer.onDrain = undefined;
    writer.abandon();
    this.events.progressed();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.complete = true;
    const { writer } = this;
    this.trim();
    if (writer === undefined || writer.failed) {
      this.stop();
      this.endReaders();
      this.events.complete(undefined);
      return;
    }
    clearTimeout(this.stallTimer);
    this.stallTimer = undefined;
    writer.onDrain = undefined;
    if (this.hasReaderBehind()) this.openFile();
    this.endReaders();
    writer.commit((entry) => this.committed(entry));
  }

  private committed(entry: StoreEntry | undefined): void {
    if (entry === undefined) this.writer = undefined;
    else this.isCommitted = true;
    for (const reader of this.readers) reader.proceed();
    this.events.complete(entry);
  }

  private endReaders(): void {
    for (const reader of this.readers) reader.proceed();
    if (this.readers.size === 0) this.closeFile();
  }

  private stop(): void {
    clearTimeout(this.stallTimer);
    this.stallTimer = undefined;
    const { writer } = this;
    this.writer = undefined;
    if (writer === undefined) return;
    writer.onProgress = undefined;
    writer.onDrain = undefined;
    writer.abandon();
  }
}
