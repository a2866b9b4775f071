import { createHash } from 'node:crypto';
import type { Coding } from '../compression/coding.ts';
import type { FormShelf } from '../compression/form-shelf.ts';
import { variantKey } from './cache-key.ts';
import type { ResponseStore, StoreEntry } from './response-store.ts';

const statusLine = Buffer.from('200 OK', 'latin1');

/**
 * The compressed forms of a stored response, as entries of their own beside it: found by other workers and after a restart,
 * and purged with it, as they have its key, its tags and its time. A form is bound to the bytes it was made from by their
 * digest: a response that was renewed keeps it, one that was replaced does not get that of another.
 */
export class StoredForms implements FormShelf {
  private readonly store: ResponseStore;
  private readonly entry: StoreEntry;
  private readonly body: Buffer;
  private knownDigest: string | undefined;

  /** @param body of the entry */
  constructor(store: ResponseStore, entry: StoreEntry, body: Buffer) {
    this.store = store;
    this.entry = entry;
    this.body = body;
  }

  find(coding: Coding, found: (coded: Buffer | undefined) => void): void {
    this.store.find(this.key(coding), (item) => {
      if (item === undefined || 'names' in item || item.response.etag !== this.digest) return found(undefined);
      found(item.contents);
    });
  }

  keep(coding: Coding, coded: Buffer): void {
    const { bodyLength: _, ...response } = this.entry.response;
    const form = { ...response, variant: this.variant(coding), status: 200, block: statusLine, etag: this.digest };
    const writer = this.store.begin(this.key(coding), form, coded.length);
    if (writer === undefined) return;
    writer.write(coded);
    if (writer.failed) writer.abandon();
    else writer.commit(() => {});
  }

  private get digest(): string {
    return (this.knownDigest ??= `"${createHash('sha256').update(this.body).digest('base64url')}"`);
  }

  private key(coding: Coding): string {
    return variantKey(this.entry.response.key, this.variant(coding));
  }

  /** No variant of a response holds an empty line. */
  private variant(coding: Coding): string {
    return `${this.entry.response.variant}\nform ${coding}`;
  }
}
