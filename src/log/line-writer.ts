import { closeSync, write } from 'node:fs';
import { type LogTarget, openLogTarget } from './log-target.ts';

export interface LineWriterOptions {
  /** `stdout`, `stderr`, or a file. */
  readonly path: string;
  /** Longest time that a line waits in memory. */
  readonly flushIntervalMs: number;
  /** Lines that found no room because the target takes nothing. */
  readonly onDropped: (lines: number) => void;
  /** A write, or opening anew, failed. Lines are kept as long as there is room. */
  readonly onError: (error: NodeJS.ErrnoException) => void;
}

interface Chunk {
  readonly buffer: Buffer;
  /** Bytes filled. */
  length: number;
  /** Bytes written. */
  written: number;
}

const chunkSize = 64 * 1024;
/** With the one being filled, about a megabyte waits at most. */
const maxQueued = 16;
const maxSpare = 2;
const retryMs = 20;
const closeTimeoutMs = 2000;
const newline = 0x0a;
const newlineBytes = Buffer.from('\n');

/**
 * Appends lines to a file or pipe in batches that hold whole lines only, one write at a time, away from the event loop.
 * Several processes may write to the same target. Memory is bounded: a target that takes nothing costs lines, which are
 * counted, never memory or time.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  #target: LogTarget;
  #current: Chunk = newChunk();
  readonly #queue: Chunk[] = [];
  readonly #spare: Chunk[] = [];
  #writing = false;
  /** A line was cut by a write that failed half-way: it is closed by a line end and written again whole. */
  #torn = false;
  #flushWanted = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;
  #closed = false;
  /** `close` has returned; a write that is still stuck closes its target when it comes back. */
  #released = false;

  /** @throws the system's error when the target cannot be opened */
  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#target = openLogTarget(options.path);
  }

  /** Most bytes of a line with its end. */
  get maxLine(): number {
    return this.#target.maxWrite;
  }

  /** @param line without its end, at most `maxLine - 1` bytes in UTF-8 */
  append(line: string): void {
    if (this.#closed) {
      this.#options.onDropped(1);
      return;
    }
    let chunk = this.#current;
    // Three bytes are the most that a UTF-16 unit takes; mostly that is room enough, and nothing needs counting.
    if (line.length * 3 + 1 > chunkSize - chunk.length && Buffer.byteLength(line) + 1 > chunkSize - chunk.length) {
      if (!this.#seal()) {
        this.#options.onDropped(1);
        return;
      }
      chunk = this.#current;
      this.#pump();
    }
    chunk.length += chunk.buffer.write(line, chunk.length, 'utf8');
    chunk.buffer[chunk.length] = newline;
    chunk.length += 1;
    this.#flushTimer ??= setTimeout(() => this.flush(), this.#options.flushIntervalMs).unref();
  }

  /** Starts to write what is there. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#flushWanted = true;
    this.#pump();
  }

  /** Opens the target anew, after logrotate moved the file. Where that fails the old one stays in use. */
  reopen(): void {
    if (this.#closed) return;
    let target: LogTarget;
    try {
      target = openLogTarget(this.#options.path);
    } catch (error) {
      this.#options.onError(asError(error));
      return;
    }
    const old = this.#target;
    this.#target = target;
    this.#torn = false;
    // One that is being written to is closed when the write has returned.
    if (!this.#writing) closeTarget(old);
    this.flush();
  }

  /** Writes what is there, as far as the target takes it within two seconds, and closes it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.flush();
    if (this.#writing || this.#queue.length > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, closeTimeoutMs);
      });
      clearTimeout(timer);
    }
    clearTimeout(this.#retryTimer);
    this.#released = true;
    const lost = this.#waitingLines();
    if (lost > 0) this.#options.onDropped(lost);
    this.#queue.length = 0;
    if (!this.#writing) closeTarget(this.#target);
  }

  #waitingLines(): number {
    let lines = 0;
    for (const { buffer, written, length } of [...this.#queue, this.#current]) {
      for (let at = buffer.indexOf(newline, written); at !== -1 && at < length; at = buffer.indexOf(newline, at + 1)) {
        lines += 1;
      }
    }
    return lines;
  }

  /** Puts the chunk being filled into the queue. @returns false when the queue is full */
  #seal(): boolean {
    if (this.#queue.length >= maxQueued) return false;
    this.#queue.push(this.#current);
    this.#current = this.#spare.pop() ?? newChunk();
    return true;
  }

  #pump(): void {
    if (this.#writing || this.#retryTimer !== undefined || this.#released) return;
    // Sealed only now: while the target is busy, lines go on filling one chunk instead of many small ones.
    if (this.#queue.length === 0 && this.#flushWanted) {
      this.#flushWanted = false;
      if (this.#current.length > 0) this.#seal();
    }
    const chunk = this.#queue[0];
    if (chunk === undefined) {
      this.#idle?.();
      return;
    }
    this.#writing = true;
    const target = this.#target;
    if (this.#torn) write(target.fd, newlineBytes, 0, 1, null, (error) => this.#lineClosed(target, error));
    else {
      const length = pieceLength(chunk, target.maxWrite);
      write(target.fd, chunk.buffer, chunk.written, length, null, (error, count) => {
        this.#written(target, chunk, error, count);
      });
    }
  }

  #lineClosed(target: LogTarget, error: NodeJS.ErrnoException | null): void {
    this.#settle(target);
    if (error === null) {
      this.#torn = false;
      this.#pump();
    } else this.#failed(error);
  }

  #written(target: LogTarget, chunk: Chunk, error: NodeJS.ErrnoException | null, count: number): void {
    const reopened = this.#settle(target);
    if (error === null) chunk.written += count;
    const inLine = chunk.written > 0 && chunk.buffer[chunk.written - 1] !== newline;
    if (inLine && (reopened || error !== null)) {
      chunk.written = chunk.buffer.lastIndexOf(newline, chunk.written - 1) + 1;
      this.#torn = !reopened;
    }
    if (chunk.written === chunk.length) this.#recycle();
    if (error === null) this.#pump();
    else this.#failed(error);
  }

  /** @returns whether the target was opened anew meanwhile */
  #settle(target: LogTarget): boolean {
    this.#writing = false;
    const reopened = target !== this.#target;
    if (reopened || this.#released) closeTarget(target);
    return reopened;
  }

  #recycle(): void {
    const chunk = this.#queue.shift();
    if (chunk === undefined || this.#spare.length >= maxSpare) return;
    chunk.length = 0;
    chunk.written = 0;
    this.#spare.push(chunk);
  }

  #failed(error: NodeJS.ErrnoException): void {
    const busy = error.code === 'EAGAIN';
    if (!busy) this.#options.onError(error);
    // A reader that went away does not come back, and at the end nothing is worth waiting for but a slow reader.
    if (this.#closed && !busy) {
      this.#idle?.();
      return;
    }
    if (this.#released) return;
    const delay = busy ? retryMs : Math.max(retryMs, this.#options.flushIntervalMs);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#pump();
    }, delay).unref();
  }
}

function newChunk(): Chunk {
  return { buffer: Buffer.allocUnsafeSlow(chunkSize), length: 0, written: 0 };
}

/** As many bytes as go into one write and end with a line. */
function pieceLength(chunk: Chunk, maxWrite: number): number {
  const rest = chunk.length - chunk.written;
  if (rest <= maxWrite) return rest;
  const lineEnd = chunk.buffer.lastIndexOf(newline, chunk.written + maxWrite - 1);
  return lineEnd < chunk.written ? maxWrite : lineEnd + 1 - chunk.written;
}

function closeTarget(target: LogTarget): void {
  if (!target.owned) return;
  try {
    closeSync(target.fd);
  } catch {
    // A close that reports a late write error (EIO, EDQUOT) has closed all the same.
  }
}

function asError(error: unknown): NodeJS.ErrnoException {
  return error instanceof Error ? error : new Error(String(error));
}
