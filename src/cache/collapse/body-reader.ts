import type { ResponseSink } from '../../proxy/response-sink.ts';
import type { ResponseHead } from '../../response/response-head.ts';
import type { ReadBuffer, ReadBufferPool, ReadBufferWaiter } from '../../static/read-buffer-pool.ts';
import type { BodySource } from './body-source.ts';

/** Asked of the pool for each read; a client that reads along a growing file is fed as it comes. */
const pieceBytes = 64 * 1024;

/**
 * One client that gets a response while it arrives: each piece at once as long as it takes them, and from where they are
 * kept when it falls behind. Ends the response whole, or cuts it.
 */
export class BodyReader implements ReadBufferWaiter {
  position = 0;
  private readonly sink: ResponseSink;
  private readonly head: ResponseHead;
  private readonly source: BodySource;
  private readonly buffers: ReadBufferPool;
  /** Whether the head went out. */
  private begun = false;
  private stalled = false;
  private reading = false;
  private waiting = false;
  private closed = false;
  private buffer: ReadBuffer | undefined;

  /** @param head as this client gets it; must stay as it is */
  constructor(sink: ResponseSink, head: ResponseHead, source: BodySource, buffers: ReadBufferPool) {
    this.sink = sink;
    this.head = head;
    this.source = source;
    this.buffers = buffers;
    sink.onDrain = () => this.drained();
  }

  /** Whether it has everything that came, and takes the next piece at once. */
  get isCurrent(): boolean {
    return this.position === this.source.received && !this.stalled && !this.reading && !this.waiting;
  }

  get hasBegun(): boolean {
    return this.begun;
  }

  /** Sends the head now, although there is no body yet. */
  begin(): void {
    if (this.begun || this.closed) return;
    this.begun = true;
    this.sink.stream(this.head, this.source.length);
  }

  /** A piece that comes in while it is current. Its memory is used again after the call. */
  take(chunk: Uint8Array): void {
    if (this.closed) return;
    this.position += chunk.length;
    if (this.send(chunk)) return;
    this.stalled = true;
    if (!this.closed) this.sink.copyHeld();
  }

  /** The whole body at once, before anything else went out; its memory is not used again. */
  takeWhole(body: Uint8Array): void {
    if (this.closed) return;
    this.begun = true;
    this.position = body.length;
    this.close();
    this.sink.respond(this.head, body);
  }

  /** There is more to read, or the end. */
  proceed(): void {
    const { source } = this;
    while (!this.closed && !this.stalled && !this.reading && !this.waiting) {
      if (this.position === source.received) {
        if (source.complete) this.finish();
        return;
      }
      const held = source.held(this.position);
      if (held === undefined) {
        if (source.file === undefined) {
          // What it has missed is nowhere.
          if (source.complete) this.cut();
          return;
        }
        if (this.position >= source.inFile) return;
        this.read();
        return;
      }
      this.position += held.length;
      this.stalled = !this.send(held);
      source.moved();
    }
  }

  granted(buffer: ReadBuffer): void {
    this.waiting = false;
    this.readInto(buffer);
  }

  timedOut(): void {
    this.waiting = false;
    this.cut();
  }

  /** The client has gone, or got its response from elsewhere. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.sink.onDrain = undefined;
    if (this.waiting) this.buffers.cancel(this);
    if (!this.reading) this.release();
    this.source.left(this);
  }

  /** The response cannot be completed. */
  cut(): void {
    if (this.closed) return;
    this.close();
    this.sink.abort();
  }

  private send(chunk: Uint8Array): boolean {
    if (this.begun) return this.sink.write(chunk);
    this.begun = true;
    return this.sink.stream(this.head, this.source.length, chunk);
  }

  private finish(): void {
    this.begin();
    this.close();
    this.sink.end();
  }

  private drained(): void {
    if (this.closed || !this.stalled) return;
    this.stalled = false;
    this.release();
    this.source.moved();
    this.proceed();
  }

  private read(): void {
    const buffer = this.buffers.tryAcquire(pieceBytes);
    if (buffer !== undefined) return this.readInto(buffer);
    this.waiting = true;
    this.buffers.wait(this);
  }

  private readInto(buffer: ReadBuffer): void {
    const { file, inFile } = this.source;
    this.buffer = buffer;
    if (file === undefined) return this.cut();
    const length = Math.min(buffer.memory.length, pieceBytes, inFile - this.position);
    this.reading = true;
    file.read(buffer.memory, length, this.position, (bytesRead) => this.wasRead(bytesRead));
  }

  private wasRead(bytesRead: number): void {
    this.reading = false;
    const { buffer } = this;
    if (this.closed || buffer === undefined) return this.release();
    if (bytesRead === 0) return this.cut();
    this.position += bytesRead;
    // While the client holds the piece its memory stays lent.
    if (this.send(buffer.memory.subarray(0, bytesRead))) this.release();
    else if (!this.closed) this.stalled = true;
    this.source.moved();
    this.proceed();
  }

  private release(): void {
    if (this.buffer !== undefined) this.buffers.release(this.buffer);
    this.buffer = undefined;
  }
}
