import fs, { type BigIntStats, type Dirent } from 'node:fs';
import { promisify } from 'node:util';

/**
 * The file system as static files use it, so that tests can make it fail. Whatever may wait for a disk is asynchronous;
 * what only looks at an open descriptor is not, because it costs less than handing it to a thread.
 */
export interface Disk {
  /** Follows links. Rejects with ENOENT and the like. */
  stat(path: string): Promise<BigIntStats>;
  /** The path without links and dot segments. */
  realPath(path: string): Promise<string>;
  /** Opens for reading, never waiting for the other end of a FIFO, never following a link in the last segment. */
  open(path: string): Promise<number>;
  readFolder(path: string): Promise<Dirent[]>;
  read(fd: number, memory: Buffer, offset: number, length: number, position: number, done: ReadDone): void;
  fstat(fd: number): BigIntStats;
  /** Where an open descriptor really leads; undefined where the system cannot say. */
  pathOf(fd: number): string | undefined;
  close(fd: number): void;
}

export type ReadDone = (error: NodeJS.ErrnoException | null, bytesRead: number) => void;

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW, O_NOCTTY } = fs.constants;
const openFlags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY;

const stat = promisify(fs.stat) as (path: string, options: { bigint: true }) => Promise<BigIntStats>;
const open = promisify(fs.open) as (path: string, flags: number) => Promise<number>;
const realPath = promisify(fs.realpath.native) as (path: string) => Promise<string>;
const readFolder = promisify(fs.readdir) as (path: string, options: { withFileTypes: true }) => Promise<Dirent[]>;

/** The real one. */
export const nodeDisk: Disk = {
  stat: (path) => stat(path, { bigint: true }),
  realPath: (path) => realPath(path),
  open: (path) => open(path, openFlags),
  readFolder: (path) => readFolder(path, { withFileTypes: true }),
  read: (fd, memory, offset, length, position, done) => fs.read(fd, memory, offset, length, position, done),
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
};

const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EINVAL', 'ERR_INVALID_ARG_VALUE']);

/** Whether an error says that there is no such file, rather than that it could not be looked at. */
export function meansAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && absentCodes.has(String(error.code));
}
