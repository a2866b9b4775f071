import { closeSync, constants, fstatSync, openSync } from 'node:fs';

/** An open file, pipe or terminal that lines are appended to. */
export interface LogTarget {
  readonly fd: number;
  /** Most bytes of one write that stay together when several processes write. */
  readonly maxWrite: number;
  /** Whether it was opened here, so that it is to be closed here. */
  readonly owned: boolean;
}

/** POSIX: writes up to PIPE_BUF bytes into a pipe are atomic; 4096 on Linux. */
const pipeWrite = 4096;
const fileWrite = 64 * 1024;

/**
 * @param path `stdout`, `stderr`, or a file, which is made (mode 640) where it is missing
 * @throws the system's error when it cannot be opened
 */
export function openLogTarget(path: string): LogTarget {
  if (path === 'stdout') return standardTarget(1);
  if (path === 'stderr') return standardTarget(2);
  // Not blocking: opening a named pipe without a reader would otherwise wait for one.
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
  const fd = openSync(path, flags, 0o640);
  try {
    return { fd, maxWrite: fstatSync(fd).isFile() ? fileWrite : pipeWrite, owned: true };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function standardTarget(fd: 1 | 2): LogTarget {
  const stat = fstatSync(fd);
  if (stat.isFile()) return { fd, maxWrite: fileWrite, owned: false };
  if (stat.isFIFO()) {
    try {
      // A description of our own, not blocking: the mode of the shared one belongs to all the processes that have it.
      const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
      return { fd: own, maxWrite: pipeWrite, owned: true };
    } catch {
      // Another user's pipe (a container that runs as non-root), or no /proc: the shared one it is.
    }
  }
  // Node makes a pipe or socket not blocking when it makes its stream. Without that, a reader that stops reading would
  // hold a thread of the pool, and with it the end of the process.
  const stream = fd === 1 ? process.stdout : process.stderr;
  return { fd: stream.fd, maxWrite: pipeWrite, owned: false };
}
