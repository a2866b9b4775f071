import { randomBytes } from 'node:crypto';
import type { StoredResponse, VaryMarker } from '../stored-response.ts';
import { entryHash } from './entry-key.ts';
import { type FinishedFile, GrowingFile } from './growing-file.ts';
import { encodeHead, type StoredHead } from './head-codec.ts';
import type { StoredFile } from './store-messages.ts';
import type { ZoneDisk } from './zone-disk.ts';

/** Bodies in memory that wait for the disk together: beyond it a response is in this worker's memory only. */
const maxSavingBytes = 16 * 1024 * 1024;
const maxSaving = 256;

/** A file that is in its place. */
export interface SavedFile extends FinishedFile {
  readonly hash: string;
}

/** Puts entries onto the disk, and says what is there. */
export class DiskSaver {
  private readonly zone: ZoneDisk;
  private readonly stored: (file: StoredFile) => void;
  private saving = 0;
  private savingBytes = 0;

  /** @param stored called for each file that has its final name */
  constructor(zone: ZoneDisk, stored: (file: StoredFile) => void) {
    this.zone = zone;
    this.stored = stored;
  }

  /** A file for a body that comes in; undefined while nothing can be written. */
  grow(
    storeKey: string,
    response: Omit<StoredResponse, 'bodyLength'>,
    bodyLength: number | undefined,
  ): GrowingFile | undefined {
    if (!this.zone.isWritable) return undefined;
    const head = { kind: 'response', storeKey, response: { ...response, bodyLength: bodyLength ?? -1 } } as const;
    return new GrowingFile(this.zone, newBodyNumber(), encodeHead(head), bodyLength);
  }

  /** Ends such a file. The descriptor goes to whom `done` is given. */
  finish(
    file: GrowingFile,
    storeKey: string,
    response: StoredResponse,
    mayPublish: () => boolean,
    done: (saved: SavedFile | undefined) => void,
  ): void {
    const hash = entryHash(storeKey);
    const path = this.zone.pathOf(hash);
    if (path === undefined) {
      file.abandon();
      return done(undefined);
    }
    const head = encodeHead({ kind: 'response', storeKey, response });
    file.finish({
      head,
      path,
      mayPublish,
      done: (finished) => done(this.finished(hash, storeKey, response, finished)),
    });
  }

  /** Writes an entry that is in memory, or a marker. The descriptor is closed. */
  save(head: StoredHead, body: Buffer, mayPublish: () => boolean, done: (saved: SavedFile | undefined) => void): void {
    const { storeKey } = head;
    const hash = entryHash(storeKey);
    const path = this.zone.pathOf(hash);
    if (path === undefined || !this.zone.isWritable) return void setImmediate(done, undefined);
    if (this.saving >= maxSaving || this.savingBytes + body.length > maxSavingBytes) {
      this.zone.failures.failed('slow', { waiting: this.saving });
      return void setImmediate(done, undefined);
    }
    this.saving++;
    this.savingBytes += body.length;
    const bytes = encodeHead(head);
    const about = head.kind === 'response' ? head.response : { key: head.marker.key, tags: [] };
    const ended = (finished: FinishedFile | undefined): void => {
      this.saving--;
      this.savingBytes -= body.length;
      const saved = this.finished(hash, storeKey, about, finished);
      if (saved !== undefined) this.zone.disk.close(saved.fd);
      done(saved);
    };
    const file = new GrowingFile(this.zone, newBodyNumber(), bytes, body.length);
    file.finishWith(body, { head: bytes, path, mayPublish, done: ended });
  }

  private finished(
    hash: string,
    storeKey: string,
    { key, tags }: Pick<StoredResponse, 'key' | 'tags'>,
    file: FinishedFile | undefined,
  ): SavedFile | undefined {
    if (file === undefined) return undefined;
    this.stored({ hash, storeKey, bytes: file.bytes, key, tags });
    return { ...file, hash };
  }
}

/** What a marker has for a body. */
export const noBody: Buffer = Buffer.alloc(0);

export function markerHead(storeKey: string, marker: VaryMarker): StoredHead {
  return { kind: 'marker', storeKey, marker };
}

function newBodyNumber(): bigint {
  return randomBytes(8).readBigUInt64LE(0);
}
