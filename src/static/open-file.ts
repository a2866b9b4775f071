import type { Disk } from './disk.ts';
import { identityOf, sameContents, sameFile } from './file-identity.ts';
import type { Representation } from './representation.ts';

/** The file is not what it was when its response head was made. Look it up again. */
export class FileChangedError extends Error {}

/**
 * Opens what a representation stands for and makes sure that it is that: same file, same contents, at the same place.
 * The place is asked of the open descriptor, because a folder on the way may have become a link since it was checked.
 *
 * @param lenient accepts a file that has grown: for one that is written to all the time
 * @throws FileChangedError, or what the disk says
 */
export async function openRepresentation(
  disk: Disk,
  representation: Representation,
  lenient: boolean,
): Promise<number> {
  const fd = await disk.open(representation.realPath);
  try {
    assertSame(disk, fd, representation, lenient);
    return fd;
  } catch (error) {
    disk.close(fd);
    throw error;
  }
}

/** Reads all of it into a buffer of its own. @throws FileChangedError when it changed meanwhile, or what the disk says */
export async function readContents(disk: Disk, representation: Representation, lenient: boolean): Promise<Buffer> {
  const fd = await openRepresentation(disk, representation, lenient);
  try {
    const contents = Buffer.allocUnsafeSlow(representation.size);
    let length = 0;
    while (length < contents.length) {
      const bytesRead = await readPiece(disk, fd, contents, length);
      if (bytesRead === 0) throw new FileChangedError('the file was truncated while it was read');
      length += bytesRead;
    }
    if (!lenient) assertSame(disk, fd, representation, false);
    return contents;
  } finally {
    disk.close(fd);
  }
}

/** As `readContents`, with the event loop waiting. */
export function readContentsNow(disk: Disk, representation: Representation, lenient: boolean): Buffer {
  const fd = disk.openNow(representation.realPath);
  try {
    assertSame(disk, fd, representation, lenient);
    const contents = Buffer.allocUnsafeSlow(representation.size);
    let length = 0;
    while (length < contents.length) {
      const bytesRead = disk.readNow(fd, contents, length, contents.length - length, length);
      if (bytesRead === 0) throw new FileChangedError('the file was truncated while it was read');
      length += bytesRead;
    }
    if (!lenient) assertSame(disk, fd, representation, false);
    return contents;
  } finally {
    disk.closeNow(fd);
  }
}

function assertSame(disk: Disk, fd: number, { identity, realPath }: Representation, lenient: boolean): void {
  const stats = disk.fstat(fd);
  const now = identityOf(stats);
  const same = lenient ? sameFile(now, identity) && now.size >= identity.size : sameContents(now, identity);
  if (!same || !stats.isFile()) throw new FileChangedError('the file changed after it was looked up');
  const opened = disk.pathOf(fd);
  if (opened !== undefined && opened !== realPath) throw new FileChangedError('the file moved after it was looked up');
}

function readPiece(disk: Disk, fd: number, memory: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    disk.read(fd, memory, offset, memory.length - offset, offset, (error, bytesRead) => {
      if (error === null) resolve(bytesRead);
      else reject(error);
    });
  });
}
