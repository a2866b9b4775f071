import fs, { type BigIntStats, type Dirent } from 'node:fs';
import { promisify } from 'node:util';

/**
 * The file system as static files use it, so that tests can make it fail. Whatever may wait for a disk is asynchronous;
 * what the system has in memory is not, because asking for it costs a tenth of handing it to a thread.
 */
export interface Disk {
  /** Follows links. Rejects with ENOENT and the like. */
  stat(path: string): Promise<BigIntStats>;
  /** As `stat`, with the event loop waiting; undefined when there is no such file. */
  statNow(path: string): BigIntStats | undefined;
  /** Whether a path is on a file system of this machine, which remembers what it was asked for lately. */
  isLocal(path: string): Promise<boolean>;
  /** The path without links and dot segments. */
  realPath(path: string): Promise<string>;
  /** As `realPath`, `open` and `read`, with the event loop waiting. */
  realPathNow(path: string): string;
  openNow(path: string): number;
  /** @returns how many bytes were read */
  readNow(fd: number, memory: Buffer, offset: number, length: number, position: number): number;
  /** Opens for reading, never waiting for the other end of a FIFO, never following a link in the last segment. */
  open(path: string): Promise<number>;
  readFolder(path: string): Promise<Dirent[]>;
  read(fd: number, memory: Buffer, offset: number, length: number, position: number, done: ReadDone): void;
  fstat(fd: number): BigIntStats;
  /** Where an open descriptor really leads; undefined where the system cannot say. */
  pathOf(fd: number): string | undefined;
  close(fd: number): void;
  /** As `close`, for small files: freeing a large one that was deleted meanwhile takes long. */
  closeNow(fd: number): void;
}

export type ReadDone = (error: NodeJS.ErrnoException | null, bytesRead: number) => void;

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW, O_NOCTTY } = fs.constants;
const openFlags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY;

const stat = promisify(fs.stat) as (path: string, options: { bigint: true }) => Promise<BigIntStats>;
const open = promisify(fs.open) as (path: string, flags: number) => Promise<number>;
const realPath = promisify(fs.realpath.native) as (path: string) => Promise<string>;
const statFileSystem = promisify(fs.statfs) as (path: string) => Promise<{ readonly type: number }>;
const readFolder = promisify(fs.readdir) as (path: string, options: { withFileTypes: true }) => Promise<Dirent[]>;

/** What `statfs` calls them (linux/magic.h): ext2 to ext4, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS, EROFS, SquashFS, bcachefs. */
const localFileSystems = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0xe0f5e1e2, 0x73717368, 0xca451a4e,
]);
const statNowOptions = { bigint: true, throwIfNoEntry: false } as const;

/** The real one. */
export const nodeDisk: Disk = {
  stat: (path) => stat(path, { bigint: true }),
  statNow: (path) => fs.statSync(path, statNowOptions),
  isLocal: async (path) => localFileSystems.has((await statFileSystem(path)).type >>> 0),
  realPath: (path) => realPath(path),
  realPathNow: (path) => fs.realpathSync.native(path),
  open: (path) => open(path, openFlags),
  openNow: (path) => fs.openSync(path, openFlags),
  readFolder: (path) => readFolder(path, { withFileTypes: true }),
  read: (fd, memory, offset, length, position, done) => fs.read(fd, memory, offset, length, position, done),
  readNow: (fd, memory, offset, length, position) => fs.readSync(fd, memory, offset, length, position),
  fstat: (fd) => fs.fstatSync(fd, { bigint: true }),
  pathOf: (fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined;
    }
  },
  // Nothing was written, so a failing close loses nothing.
  close: (fd) => fs.close(fd, () => {}),
  closeNow: (fd) => {
    try {
      fs.closeSync(fd);
    } catch {
      // As above.
    }
  },
};

const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EINVAL', 'ERR_INVALID_ARG_VALUE']);

/** Whether an error says that there is no such file, rather than that it could not be looked at. */
export function meansAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && absentCodes.has(String(error.code));
}
