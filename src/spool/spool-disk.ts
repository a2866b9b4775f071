import fs from 'node:fs';

export type SpoolDone = (error: NodeJS.ErrnoException | null, count: number) => void;

/** The file system as spool files use it, so that tests can make it fail. */
export interface SpoolDisk {
  /** Makes a file that nobody else can open, and takes its name away at once. @throws as `fs.openSync` */
  open(path: string): number;
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

const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW } = fs.constants;
const openFlags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW;

/** The real one. */
export const nodeSpoolDisk: SpoolDisk = {
  open: (path) => {
    const fd = fs.openSync(path, openFlags, 0o600);
    try {
      unlinkIfThere(path);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    return fd;
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

/** Another worker may be sweeping: then the name is gone already. */
function unlinkIfThere(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
