import type { BigIntStats } from 'node:fs';
import { type Disk, nodeDisk, type ReadDone } from '../../src/static/disk.ts';

type Operation = 'stat' | 'statNow' | 'realPath' | 'open' | 'read';

/** The real disk, which fails, counts and interferes as a test tells it. */
export class FailingDisk implements Disk {
  /** What was asked of the disk, how often. */
  readonly calls: Record<Operation, number> = { stat: 0, statNow: 0, realPath: 0, open: 0, read: 0 };
  /** Descriptors open now. */
  readonly openFiles = new Set<number>();
  /** Error code by operation and end of the path. */
  private readonly failures: { operation: Operation; suffix: string; code: string }[] = [];
  /** Runs before each read, for tests that change a file meanwhile. */
  beforeRead: (() => void) | undefined;
  /** Runs before each open. */
  beforeOpen: (() => void) | undefined;
  /** Those of `calls.read` with the event loop waiting. */
  readsNow = 0;
  /** Whether the loop may wait for it; not where everything is to be counted and to fail in one place. */
  local = false;
  /** How much older changes seem than they are, so that no test has to wait until they are old. */
  ageMs = 0n;
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
    return this.aged(await nodeDisk.stat(path));
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

  isLocal: Disk['isLocal'] = async () => this.local;

  statNow: Disk['statNow'] = (path) => {
    this.check('statNow', path);
    const stats = nodeDisk.statNow(path);
    return stats && this.aged(stats);
  };

  realPathNow: Disk['realPathNow'] = (path) => {
    this.check('realPath', path);
    return nodeDisk.realPathNow(path);
  };

  openNow: Disk['openNow'] = (path) => {
    this.beforeOpen?.();
    this.check('open', path);
    const fd = nodeDisk.openNow(path);
    this.openFiles.add(fd);
    return fd;
  };

  readNow: Disk['readNow'] = (fd, memory, offset, length, position) => {
    this.calls.read++;
    this.readsNow++;
    this.beforeRead?.();
    if (this.readsFail !== undefined) throw diskError(this.readsFail);
    return nodeDisk.readNow(fd, memory, offset, length, position);
  };

  closeNow: Disk['closeNow'] = (fd) => {
    if (!this.openFiles.delete(fd)) throw new Error(`descriptor ${fd} closed twice`);
    nodeDisk.closeNow(fd);
  };

  readFolder = nodeDisk.readFolder;
  fstat = nodeDisk.fstat;
  pathOf = nodeDisk.pathOf;

  private aged(stats: BigIntStats): BigIntStats {
    return Object.assign(stats, { ctimeNs: stats.ctimeNs - this.ageMs * 1_000_000n });
  }

  private check(operation: Operation, path: string): void {
    this.calls[operation]++;
    const failure = this.failures.find((one) => one.operation === operation && path.endsWith(one.suffix));
    if (failure !== undefined) throw diskError(failure.code);
  }
}

function diskError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the test says so`), { code });
}
