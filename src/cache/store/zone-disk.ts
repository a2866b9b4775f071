import { randomBytes } from 'node:crypto';
import { entryPath, temporaryFolder } from './entry-key.ts';
import type { SpaceLease } from './space-lease.ts';
import type { DiskDone, StoreDisk } from './store-disk.ts';
import type { StoreFailures } from './store-failures.ts';
import type { DiskAccess } from './store-messages.ts';

/**
 * A zone's folder as one worker sees it: whether it may be used, what names files have, and folders made anew that somebody
 * removed. Nobody may use it before the primary has said so, which knows whether another instance has it.
 */
export class ZoneDisk {
  readonly disk: StoreDisk;
  readonly failures: StoreFailures;
  readonly lease: SpaceLease;
  private access: DiskAccess | undefined;
  private files = 0;

  constructor(disk: StoreDisk, failures: StoreFailures, lease: SpaceLease) {
    this.disk = disk;
    this.failures = failures;
    this.lease = lease;
  }

  get isOpen(): boolean {
    return this.access !== undefined;
  }

  /** Whether something may be written now. */
  get isWritable(): boolean {
    return this.access !== undefined && !this.failures.paused;
  }

  /** What the primary says. */
  use(access: DiskAccess | undefined): void {
    const isSame = access?.session === this.access?.session && access?.folder === this.access?.folder;
    this.access = access;
    if (!isSame) this.lease.clear();
  }

  /** @returns undefined while the folder may not be used */
  pathOf(hash: string): string | undefined {
    return this.access === undefined ? undefined : entryPath(this.access.folder, hash);
  }

  /** A new temporary file in the folder. */
  create(created: (error: NodeJS.ErrnoException | null, fd: number, path: string) => void): void {
    if (this.access === undefined) return created(new Error('the folder may not be used'), -1, '');
    const { folder, session } = this.access;
    const path = `${temporaryFolder(folder)}/${session}-${this.files++}-${randomBytes(6).toString('hex')}`;
    this.disk.create(path, (error, fd) => {
      if (error?.code !== 'ENOENT') return created(error, fd, path);
      this.disk.makeFolder(temporaryFolder(folder), (failed) => {
        if (failed !== null) return created(failed, -1, path);
        this.disk.create(path, (again, second) => created(again, second, path));
      });
    });
  }

  /** Gives a file its final name. */
  publish(temporary: string, path: string, done: DiskDone): void {
    this.disk.rename(temporary, path, (error) => {
      if (error?.code !== 'ENOENT') return done(error);
      this.disk.makeFolder(path.slice(0, path.lastIndexOf('/')), (failed) => {
        if (failed !== null) return done(failed);
        this.disk.rename(temporary, path, done);
      });
    });
  }
}
