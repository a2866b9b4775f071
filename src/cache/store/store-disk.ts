import fs from 'node:fs';

export type DiskDone = (error: NodeJS.ErrnoException | null) => void;
export type DiskCount = (error: NodeJS.ErrnoException | null, count: number) => void;

/** The file system as the store uses it, so that tests can make it fail. What may wait for a disk is asynchronous. */
export interface StoreDisk {
  /** For reading, or for reading and writing with a renewed head. */
  open(path: string, mode: 'read' | 'renew', opened: (error: NodeJS.ErrnoException | null, fd: number) => void): void;
  /** A new file that nobody else can open. */
  create(path: string, created: (error: NodeJS.ErrnoException | null, fd: number) => void): void;
  read(fd: number, memory: Buffer, offset: number, length: number, position: number, done: DiskCount): void;
  /** At once, where that is known to be quick. @throws as `fs.readSync` */
  readNow(fd: number, memory: Buffer, offset: number, length: number, position: number): number;
  write(fd: number, chunks: readonly Uint8Array[], position: number, done: DiskCount): void;
  /** Bytes of an open file. @throws as `fs.fstatSync` */
  size(fd: number): number;
  rename(from: string, to: string, done: DiskDone): void;
  unlink(path: string, done: DiskDone): void;
  /** With those above it that are missing, for nobody else. */
  makeFolder(path: string, done: DiskDone): void;
  close(fd: number): void;
}

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;

/** The real one. */
export const nodeStoreDisk: StoreDisk = {
  open: (path, mode, opened) => fs.open(path, (mode === 'read' ? O_RDONLY : O_RDWR) | O_NOFOLLOW, opened),
  create: (path, created) => fs.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600, created),
  read: (fd, memory, offset, length, position, done) => fs.read(fd, memory, offset, length, position, done),
  readNow: (fd, memory, offset, length, position) => fs.readSync(fd, memory, offset, length, position),
  write: (fd, chunks, position, done) => fs.writev(fd, chunks as Uint8Array[], position, done),
  size: (fd) => fs.fstatSync(fd).size,
  rename: (from, to, done) => fs.rename(from, to, done),
  unlink: (path, done) => fs.unlink(path, done),
  makeFolder: (path, done) => fs.mkdir(path, { recursive: true, mode: 0o700 }, (error) => done(error)),
  // What was written is checked when it is read.
  close: (fd) => fs.close(fd, () => {}),
};

/** Reads until the memory is full or the file ends; `count` says how much there was. */
export function readFully(
  disk: StoreDisk,
  fd: number,
  memory: Buffer,
  offset: number,
  length: number,
  position: number,
  done: DiskCount,
): void {
  let read = 0;
  const step = (error: NodeJS.ErrnoException | null, count: number): void => {
    if (error !== null) return done(error, read);
    read += count;
    if (count === 0 || read === length) return done(null, read);
    disk.read(fd, memory, offset + read, length - read, position + read, step);
  };
  disk.read(fd, memory, offset, length, position, step);
}

/** Writes all of the chunks; they must not change before `done`. */
export function writeFully(
  disk: StoreDisk,
  fd: number,
  chunks: readonly Uint8Array[],
  position: number,
  done: DiskDone,
): void {
  const total = chunks.reduce((sum, { length }) => sum + length, 0);
  disk.write(fd, chunks, position, (error, count) => {
    if (error !== null || count === total) return done(error);
    if (count === 0) return done(new Error('the disk took nothing'));
    writeFully(disk, fd, behind(chunks, count), position + count, done);
  });
}

function behind(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let rest = count;
  return chunks.flatMap((chunk) => {
    const skipped = Math.min(rest, chunk.length);
    rest -= skipped;
    return skipped === chunk.length ? [] : [chunk.subarray(skipped)];
  });
}
