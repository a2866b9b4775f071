import type { Piscina } from 'piscina';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';
import type { Coding } from './coding.ts';
import type { CodingTask } from './coding-thread.ts';

/** Bounds of what is compressed once, in each worker. */
export interface CodedFormLimits {
  /** Threads at work at most; 0 makes no stored forms. */
  readonly threads: number;
  /** Bodies that wait for a thread at most. */
  readonly queue: number;
  /** Bytes; larger bodies are not compressed once. */
  readonly maxBody: number;
}

/** What became of a request for a form. `pending`: `done` will be called, later. */
export type FormRequest = 'pending' | 'refused';

/** Called with the compressed body, or undefined when there is none: it failed, or is not smaller than the body itself. */
export type FormDone = (coded: Buffer | undefined) => void;

/** Milliseconds that a thread may take for one body before it is ended. */
const timeoutMs = 60_000;
/** A thread without work ends after so many milliseconds. */
const idleMs = 30_000;
/** Bytes of bodies that wait or are worked on: they cannot leave their cache meanwhile. */
const maxPendingBytes = 64 * 1024 ** 2;

/**
 * Compresses bodies that are kept, each once, as small as they become, in threads beside the worker's own. Bounded: when
 * it is busy it refuses, and the response goes out as it is.
 *
 * It begins with the first request, and its threads end by themselves when nothing is to be done.
 */
export class CodedForms {
  private limits: CodedFormLimits;
  private readonly threadFile: string;
  private readonly queueGauge: Gauge;
  private readonly recorder: Recorder;
  private readonly counters = new Map<string, Counter>();
  private readonly pending = new Map<string, FormDone[]>();
  private pendingBytes = 0;
  private readonly unavailable = new Set<Coding>();
  private pool: Promise<Piscina> | undefined;
  private closed = false;

  /** @param threadFile URL of what the threads run */
  constructor(limits: CodedFormLimits, recorder: Recorder, threadFile: string = codingThread()) {
    this.limits = limits;
    this.threadFile = threadFile;
    this.recorder = recorder;
    this.queueGauge = recorder.gauge(metricNames.compressionQueue, {});
  }

  /** Takes new limits, at reload. What is pending is finished with the former ones. */
  configure(limits: CodedFormLimits): void {
    const changed = limits.threads !== this.limits.threads;
    this.limits = limits;
    if (!changed) return;
    const former = this.pool;
    this.pool = undefined;
    void former?.then((pool) => pool.close()).catch(() => {});
  }

  /** Whether bodies of that size can be compressed once that way: not without an encoder, and not where there are no threads. */
  makes(coding: Coding, bytes: number): boolean {
    const { threads, maxBody } = this.limits;
    return threads > 0 && bytes <= maxBody && !this.unavailable.has(coding) && !this.closed;
  }

  /**
   * Asks for a form of a body. Who asks for one that is pending gets that one.
   * @param id   names the body: equal ids mean equal bytes. For a stored response its store key and validator
   * @param body must not change until `done`; a body on disk is read, and verified, by who keeps it
   * @param done called once, later, and only for `pending`
   */
  request(id: string, body: Uint8Array, coding: Coding, done: FormDone): FormRequest {
    if (!this.makes(coding, body.length)) return 'refused';
    const key = `${coding} ${id}`;
    const others = this.pending.get(key);
    if (others !== undefined) {
      others.push(done);
      return 'pending';
    }
    const { threads, queue } = this.limits;
    if (this.pending.size >= threads + queue || this.pendingBytes + body.length > maxPendingBytes) {
      this.count(coding, 'refused');
      return 'refused';
    }
    this.pending.set(key, [done]);
    this.pendingBytes += body.length;
    this.queueGauge.set(this.pending.size);
    void this.make(key, { body: inOwnMemory(body), coding });
    return 'pending';
  }

  /** Ends the threads; what is pending comes to nothing. */
  async close(): Promise<void> {
    this.closed = true;
    const { pool } = this;
    this.pool = undefined;
    await pool?.then((one) => one.destroy()).catch(() => {});
  }

  private async make(key: string, task: CodingTask): Promise<void> {
    const coded = await this.run(task);
    this.pendingBytes -= task.body.length;
    const waiting = this.pending.get(key) ?? [];
    this.pending.delete(key);
    this.queueGauge.set(this.pending.size);
    for (const done of waiting) done(coded);
  }

  /** Never rejects: whatever fails, the body itself can be sent. */
  private async run(task: CodingTask): Promise<Buffer | undefined> {
    const { coding, body } = task;
    try {
      const pool = await this.start();
      const coded: Uint8Array | null = await pool.run(task, { signal: AbortSignal.timeout(timeoutMs) });
      if (coded === null) {
        this.unavailable.add(coding);
        return undefined;
      }
      const isSmaller = coded.length < body.length;
      this.count(coding, isSmaller ? 'made' : 'useless');
      return isSmaller ? Buffer.from(coded.buffer, coded.byteOffset, coded.length) : undefined;
    } catch {
      if (!this.closed) this.count(coding, 'failed');
      return undefined;
    }
  }

  private start(): Promise<Piscina> {
    if (this.closed) return Promise.reject(new Error('closed'));
    return (this.pool ??= createPool(this.limits, this.threadFile));
  }

  private count(coding: Coding, result: 'made' | 'useless' | 'refused' | 'failed'): void {
    const key = `${coding} ${result}`;
    let counter = this.counters.get(key);
    if (counter === undefined) {
      counter = this.recorder.counter(metricNames.compressionForms, { coding, result });
      this.counters.set(key, counter);
    }
    counter.add(1);
  }
}

/** What is sent to a thread is copied with all of the memory that it is a part of. */
function inOwnMemory(body: Uint8Array): Uint8Array {
  return body.length === body.buffer.byteLength ? body : new Uint8Array(body);
}

/** The package is loaded when it is needed first: most workers never do. */
async function createPool({ threads, queue }: CodedFormLimits, filename: string): Promise<Piscina> {
  const { Piscina: Pool } = await import('piscina');
  const pool = new Pool({
    filename,
    minThreads: 0,
    maxThreads: threads,
    maxQueue: Math.max(1, threads + queue),
    idleTimeout: idleMs,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  // A thread that dies is replaced, and its task rejected; without a listener the worker would end with it.
  pool.on('error', () => {});
  return pool;
}

/** Beside this file in `src`, and in `dist` one folder away from the chunks. */
function codingThread(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`../compression/coding-thread.${extension}`, import.meta.url).href;
}
