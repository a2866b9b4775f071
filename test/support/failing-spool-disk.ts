import { nodeSpoolDisk, type SpoolDisk, type SpoolDone } from '../../src/spool/spool-disk.ts';

/** The real disk for spool files, which fails, waits and counts as a test tells it. */
export class FailingSpoolDisk implements SpoolDisk {
  /** Descriptors open now, spare ones included. */
  readonly openFiles = new Set<number>();
  /** Error code by operation, from now on. */
  readonly failures: Partial<Record<'open' | 'write' | 'read', string>> = {};
  /** Bytes written so far. */
  written = 0;
  /** Bytes written with the event loop waiting. */
  writtenNow = 0;
  /** A disk of that size: beyond it ENOSPC. */
  capacity = Number.POSITIVE_INFINITY;
  /** Most bytes that one write takes. */
  shortWrites = Number.POSITIVE_INFINITY;
  private held: (() => void)[] | undefined;

  open(folder: string, name: string): number {
    const code = this.failures.open;
    if (code !== undefined) throw diskError(code);
    const fd = nodeSpoolDisk.open(folder, name);
    this.openFiles.add(fd);
    return fd;
  }

  write(fd: number, memory: Uint8Array, position: number, done: SpoolDone): void {
    const code = this.failures.write ?? (position + memory.length > this.capacity ? 'ENOSPC' : undefined);
    this.run(() => {
      if (code !== undefined) return done(diskError(code), 0);
      const taken = memory.subarray(0, this.shortWrites);
      this.written += taken.length;
      nodeSpoolDisk.write(fd, taken, position, done);
    });
  }

  writeNow(fd: number, memory: Uint8Array, position: number): number {
    const code = this.failures.write ?? (position + memory.length > this.capacity ? 'ENOSPC' : undefined);
    if (code !== undefined) throw diskError(code);
    this.written += memory.length;
    this.writtenNow += memory.length;
    return nodeSpoolDisk.writeNow(fd, memory, position);
  }

  read(fd: number, memory: Uint8Array, position: number, done: SpoolDone): void {
    const code = this.failures.read;
    this.run(() => {
      if (code !== undefined) done(diskError(code), 0);
      else nodeSpoolDisk.read(fd, memory, position, done);
    });
  }

  empty: SpoolDisk['empty'] = (fd, done) => nodeSpoolDisk.empty(fd, done);

  close(fd: number): void {
    if (!this.openFiles.delete(fd)) throw new Error(`descriptor ${fd} closed twice`);
    nodeSpoolDisk.close(fd);
  }

  prepare = nodeSpoolDisk.prepare;

  /** Reads and writes hang until `release`. */
  hang(): void {
    this.held ??= [];
  }

  /** Operations that hang now. */
  get hanging(): number {
    return this.held?.length ?? 0;
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const call of held) call();
  }

  private run(call: () => void): void {
    if (this.held === undefined) setImmediate(call);
    else this.held.push(call);
  }
}

function diskError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the test says so`), { code });
}
