import { crc32 } from 'node:zlib';
import {
  type CurrentSlot,
  decodeHeads,
  decodeLayout,
  decodeTrailer,
  type EntryLayout,
  fileBytes,
  firstReadBytes,
  pieceBytes,
  trailerBytes,
} from './entry-format.ts';
import { readFully, type StoreDisk } from './store-disk.ts';

/** What a file turned out to be. `absent`: there is none; `corrupt`: it is not whole, or another key's. */
export type LookupResult =
  | { readonly kind: 'found'; readonly entry: LookedUp }
  | { readonly kind: 'absent' | 'corrupt' }
  | { readonly kind: 'failed'; readonly error: NodeJS.ErrnoException };

/** An entry's file, open, its head checked. Whoever gets it closes it. */
export interface LookedUp {
  readonly fd: number;
  readonly layout: EntryLayout;
  readonly slot: CurrentSlot;
  readonly bodyLength: number;
  /** What was read already: the start of the file. Lent until the callback returns. */
  readonly start: Buffer;
}

/**
 * Opens a file, reads its head and checks that the file is as long as the head says.
 * @param storeKey whose entry it must be; undefined accepts any
 */
export function lookUp(
  disk: StoreDisk,
  path: string,
  storeKey: string | undefined,
  done: (result: LookupResult) => void,
  mode: 'read' | 'renew' = 'read',
): void {
  disk.open(path, mode, (error, fd) => {
    if (error !== null) return done(error.code === 'ENOENT' ? { kind: 'absent' } : { kind: 'failed', error });
    readStart(disk, fd, Buffer.allocUnsafe(firstReadBytes), 0, (failed, start) => {
      if (failed === null) {
        const entry = start === undefined ? undefined : entryOf(disk, fd, start, storeKey);
        if (entry !== undefined) return done({ kind: 'found', entry });
      }
      disk.close(fd);
      done(failed === null ? { kind: 'corrupt' } : { kind: 'failed', error: failed });
    });
  });
}

/** Reads all that lies in front of the body: one read does for nearly every head. `start` undefined: it is no such file. */
function readStart(
  disk: StoreDisk,
  fd: number,
  memory: Buffer,
  have: number,
  done: (error: NodeJS.ErrnoException | null, start: Buffer | undefined) => void,
): void {
  readFully(disk, fd, memory, have, memory.length - have, have, (error, count) => {
    if (error !== null) return done(error, undefined);
    const start = memory.subarray(0, have + count);
    const layout = decodeLayout(start);
    if (layout === undefined || layout.bodyOffset <= start.length) {
      return done(null, layout === undefined ? undefined : start);
    }
    if (start.length < memory.length) return done(null, undefined);
    const larger = Buffer.allocUnsafe(layout.bodyOffset);
    start.copy(larger);
    readStart(disk, fd, larger, start.length, done);
  });
}

function entryOf(disk: StoreDisk, fd: number, start: Buffer, storeKey: string | undefined): LookedUp | undefined {
  const layout = decodeLayout(start);
  const slot = layout === undefined ? undefined : decodeHeads(start, layout);
  if (layout === undefined || slot === undefined) return undefined;
  const { head } = slot;
  if (storeKey !== undefined && head.storeKey !== storeKey) return undefined;
  const bodyLength = head.kind === 'response' ? head.response.bodyLength : 0;
  try {
    if (disk.size(fd) !== fileBytes(layout, bodyLength)) return undefined;
  } catch {
    return undefined;
  }
  return { fd, layout, slot, bodyLength, start };
}

/**
 * Reads the whole body behind `room` bytes, into memory outside of V8's heap, and verifies it.
 * @param done gets undefined for a body that is not what was written
 */
export function readBody(
  disk: StoreDisk,
  { fd, layout, bodyLength, start }: LookedUp,
  room: number,
  done: (error: NodeJS.ErrnoException | null, memory: Buffer | undefined) => void,
): void {
  const end = room + bodyLength;
  const memory = Buffer.allocUnsafeSlow(end + trailerBytes(bodyLength));
  const have = start.copy(memory, room, layout.bodyOffset);
  const position = layout.bodyOffset + have;
  readFully(disk, fd, memory, room + have, memory.length - room - have, position, (error, count) => {
    if (error !== null) return done(error, undefined);
    const isWhole = room + have + count === memory.length;
    const checksums = isWhole ? decodeTrailer(memory.subarray(end), layout, bodyLength) : undefined;
    const isRight = checksums !== undefined && matches(memory.subarray(room, end), checksums);
    done(null, isRight ? memory.subarray(0, end) : undefined);
  });
}

function matches(body: Buffer, checksums: Buffer): boolean {
  for (let index = 0, offset = 0; offset < body.length; index++, offset += pieceBytes) {
    if (crc32(body.subarray(offset, offset + pieceBytes)) !== checksums.readUInt32LE(index * 4)) return false;
  }
  return true;
}
