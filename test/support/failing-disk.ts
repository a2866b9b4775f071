import { type Disk, nodeDisk, type ReadDone } from '../../src/static/disk.ts';

type Operation = 'stat' | 'realPath' | 'open' | 'read';

/** The real disk, which fails, counts and interferes as a test tells it. */
export class FailingDisk implements Disk {
  /** What was asked of the disk, how often. */
  readonly calls: Record<Operation, number> = { stat: 0, realPath: 0, open: 0, read: 0 };
  /** Descriptors open now. */
  readonly openFiles = new Set<number>();
  /** Error code by operation and end of the path. */
  private readonly failures: { operation: Operation; suffix: string; code: string }[] = [];
  /** Runs before each read, for tests that change a file meanwhile. */
  beforeRead: (() => void) | undefined;
  /** Runs before each open. */
  beforeOpen: (() => void) | undefined;
  readsFail: string | undefined;

  fail(operation: Operation, suffix: string, code: string): void {
    this.failures.push({ operation, suffix, code });
  }

  heal(): void {
    this.failures.length = 0;
    this.readsFail = undefined;
  }

  stat: Disk['stat'] = async (path) => {
    this.check('stat', path);
    return nodeDisk.stat(path);
  };

  realPath: Disk['realPath'] = async (path) => {
    this.check('realPath', path);
    return nodeDisk.realPath(path);
  };

  open: Disk['open'] = async (path) => {
    this.beforeOpen?.();
    this.check('open', path);
    const fd = await nodeDisk.open(path);
    this.openFiles.add(fd);
    return fd;
  };

  read(fd: number, memory: Buffer, offset: number, length: number, position: number, done: ReadDone): void {
    this.calls.read++;
    this.beforeRead?.();
    const code = this.readsFail;
    if (code === undefined) nodeDisk.read(fd, memory, offset, length, position, done);
    else setImmediate(() => done(diskError(code), 0));
  }

  close: Disk['close'] = (fd) => {
    if (!this.openFiles.delete(fd)) throw new Error(`descriptor ${fd} closed twice`);
    nodeDisk.close(fd);
  };

  readFolder = nodeDisk.readFolder;
  fstat = nodeDisk.fstat;
  pathOf = nodeDisk.pathOf;

  private check(operation: Operation, path: string): void {
    this.calls[operation]++;
    const failure = this.failures.find((one) => one.operation === operation && path.endsWith(one.suffix));
    if (failure !== undefined) throw diskError(failure.code);
  }
}

function diskError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the test says so`), { code });
}
