import { type DiskDone, nodeStoreDisk, type StoreDisk } from '../../src/cache/store/store-disk.ts';

/** The real disk for entries, which fails and waits as a test tells it. */
export class FailingStoreDisk implements StoreDisk {
  /** Error code by operation, from now on. */
  readonly failures: Partial<Record<keyof FailingStoreDisk['calls'], string>> = {};
  /** Calls by operation. */
  readonly calls = { open: 0, create: 0, read: 0, readNow: 0, write: 0, rename: 0 };
  /** Descriptors open now. */
  readonly openFiles = new Set<number>();
  private held: (() => void)[] | undefined;

  open(path: string, mode: 'read' | 'renew', opened: (error: NodeJS.ErrnoException | null, fd: number) => void): void {
    this.run('open', opened, () => nodeStoreDisk.open(path, mode, this.keep(opened)));
  }

  create(path: string, created: (error: NodeJS.ErrnoException | null, fd: number) => void): void {
    this.run('create', created, () => nodeStoreDisk.create(path, this.keep(created)));
  }

  read(...[fd, memory, offset, length, position, done]: Parameters<StoreDisk['read']>): void {
    this.run('read', done, () => nodeStoreDisk.read(fd, memory, offset, length, position, done));
  }

  readNow(...[fd, memory, offset, length, position]: Parameters<StoreDisk['readNow']>): number {
    this.calls.readNow++;
    const code = this.failures.readNow ?? this.failures.read;
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    return nodeStoreDisk.readNow(fd, memory, offset, length, position);
  }

  write(...[fd, chunks, position, done]: Parameters<StoreDisk['write']>): void {
    this.run('write', done, () => nodeStoreDisk.write(fd, chunks, position, done));
  }

  size = nodeStoreDisk.size;

  rename(from: string, to: string, done: DiskDone): void {
    this.run('rename', done, () => nodeStoreDisk.rename(from, to, done));
  }

  unlink = nodeStoreDisk.unlink;
  makeFolder = nodeStoreDisk.makeFolder;

  close(fd: number): void {
    if (!this.openFiles.delete(fd)) throw new Error(`descriptor ${fd} closed twice`);
    nodeStoreDisk.close(fd);
  }

  /** Reads and writes hang until `release`. */
  hang(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const call of held) call();
  }

  private run(
    operation: keyof FailingStoreDisk['calls'],
    failed: (error: NodeJS.ErrnoException, count: number) => void,
    call: () => void,
  ): void {
    this.calls[operation]++;
    const code = this.failures[operation];
    const act =
      code === undefined
        ? call
        : () => failed(Object.assign(new Error(`${code}: the test says so`), { code }), operation === 'open' ? -1 : 0);
    if (this.held === undefined) setImmediate(act);
    else this.held.push(act);
  }

  private keep(opened: (error: NodeJS.ErrnoException | null, fd: number) => void) {
    return (error: NodeJS.ErrnoException | null, fd: number): void => {
      if (error === null) this.openFiles.add(fd);
      opened(error, fd);
    };
  }
}
