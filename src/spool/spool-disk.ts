import fs from 'node:fs';

export type SpoolDone = (error: NodeJS.ErrnoException | null, count: number) => void;

/** The file system as spool files use it, so that tests can make it fail. */
export interface SpoolDisk {
  /**
   * Makes a file in a folder that nobody else can open: without a name, or where the file system knows no such files with
   * that name, which is taken away at once.
   * @throws as `fs.openSync`
   */
  open(folder: string, name: string): number;
  write(fd: number, memory: Uint8Array, position: number, done: SpoolDone): void;
  /** Writes at once, with the event loop waiting. @throws as `fs.writeSync` */
  writeNow(fd: number, memory: Uint8Array, position: number): number;
  read(fd: number, memory: Uint8Array, position: number, done: SpoolDone): void;
  /** Empties a file for its next use. */
  empty(fd: number, done: (error: NodeJS.ErrnoException | null) => void): void;
  close(fd: number): void;
  /** Makes the folder where it is missing, and removes what a process left in it that died between open and unlink. */
  prepare(folder: string, prefix: string): void;
}

const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW, O_DIRECTORY } = fs.constants;
const namedFlags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW;
/** O_TMPFILE of Linux, which Node.js does not name; the same number on every processor that Node.js runs on. */
const namelessFlags = process.platform === 'linux' ? 0o20_000_000 | O_DIRECTORY | O_RDWR : undefined;
/** What says that the kernel or the file system knows no files without names (open(2)). */
const namelessRefusals: ReadonlySet<string | undefined> = new Set(['EOPNOTSUPP', 'EISDIR', 'EINVAL']);

/** The real one. */
export const nodeSpoolDisk: SpoolDisk = {
  open: (folder, name) => {
    if (namelessFlags !== undefined) {
      try {
        return fs.openSync(folder, namelessFlags, 0o600);
      } catch (error) {
        if (!namelessRefusals.has((error as NodeJS.ErrnoException).code)) throw error;
      }
    }
    return openNamed(`${folder}/${name}`);
  },
  write: (fd, memory, position, done) => fs.write(fd, memory, 0, memory.length, position, done),
  writeNow: (fd, memory, position) => fs.writeSync(fd, memory, 0, memory.length, position),
  read: (fd, memory, position, done) => fs.read(fd, memory, 0, memory.length, position, done),
  empty: (fd, done) => fs.ftruncate(fd, 0, done),
  // Nobody asks for what was in it any more.
  close: (fd) => fs.close(fd, () => {}),
  prepare: (folder, prefix) => {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of fs.readdirSync(folder)) {
      if (name.startsWith(prefix)) unlinkIfThere(`${folder}/${name}`);
    }
  },
};

/** Exported for file systems that tests do not have. */
export function openNamed(path: string): number {
  const fd = fs.openSync(path, namedFlags, 0o600);
  try {
    unlinkIfThere(path);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return fd;
}

/** Another worker may be sweeping: then the name is gone already. */
function unlinkIfThere(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
