import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Disk, ReadDone } from './disk.ts';
import type { DiskTempo } from './disk-tempo.ts';
import { identityOf } from './file-identity.ts';
import type { RangeSource } from './range-stream.ts';
import type { ReadBufferPool } from './read-buffer-pool.ts';
import type { Representation } from './representation.ts';

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
 * An open file of a folder that is served, which others may write to. It owns the descriptor.
 *
 * What the system has in memory the event loop copies itself, a piece of tens of microseconds; the first piece of a file
 * on a local disk a thread reads in any case, which has the system read ahead.
 */
export class ServedFile implements RangeSource {
  private readonly context: RequestContext;
  private readonly fd: number;
  private readonly representation: Representation;
  private readonly resources: StreamResources;
  private readonly isLocal: boolean;
  private isFirstRead = true;

  constructor(
    context: RequestContext,
    fd: number,
    representation: Representation,
    resources: StreamResources,
    isLocal: boolean,
  ) {
    this.context = context;
    this.fd = fd;
    this.representation = representation;
    this.resources = resources;
    this.isLocal = isLocal;
  }

  read(memory: Buffer, offset: number, length: number, position: number, done: ReadDone): void {
    this.isFirstRead = false;
    this.resources.disk.read(this.fd, memory, offset, length, position, done);
  }

  mayReadNow(): boolean {
    return this.isLocal && !this.isFirstRead && this.resources.tempo.mayWait(performance.now());
  }

  readNow(memory: Buffer, length: number, position: number): number {
    if (!this.mayReadNow()) return 0;
    const { disk, tempo } = this.resources;
    const begin = performance.now();
    let bytes = 0;
    try {
      bytes = disk.readNow(this.fd, memory, 0, length, position);
    } catch {
      // As `bytes` says.
    }
    tempo.waited(begin, performance.now());
    return bytes;
  }

  /**
   * Whether what was sent is no mixture. A file that has only grown is taken for one that is appended to, such as a log:
   * what was announced of it is still true.
   */
  isUnchanged(): boolean {
    const { identity } = this.representation;
    try {
      const now = identityOf(this.resources.disk.fstat(this.fd));
      return now.size > identity.size || (now.size === identity.size && now.mtimeNs === identity.mtimeNs);
    } catch {
      return false;
    }
  }

  unreadable(error: Error | null): void {
    if (error === null) this.resources.changed.add(1);
    const reason = error?.message ?? 'the file was truncated or replaced while it was served';
    respondError(this.context, new PorticoError('file_unreadable', reason, { cause: error ?? undefined }));
  }

  close(): void {
    this.resources.disk.close(this.fd);
  }
}
