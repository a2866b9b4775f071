import type { FileBody, PreparedResponse, StoreEntry } from './response-store.ts';
import type { StoredResponse } from './stored-response.ts';

/** A stored body under a head that was renewed: what the store makes of it is found by those who come later. */
export class RenewedEntry implements StoreEntry {
  readonly response: StoredResponse;
  readonly purged = false;
  prepared: PreparedResponse | undefined = undefined;
  private readonly entry: StoreEntry;

  constructor(entry: StoreEntry, response: StoredResponse) {
    this.entry = entry;
    this.response = response;
  }

  get contents(): Buffer | undefined {
    return this.entry.contents;
  }

  get source(): StoreEntry['source'] {
    return this.entry.source;
  }

  pin(): void {
    this.entry.pin();
  }

  unpin(): void {
    this.entry.unpin();
  }

  readNow(memory: Buffer): boolean {
    return this.entry.readNow(memory);
  }

  openBody(opened: (body: FileBody | undefined) => void): void {
    this.entry.openBody(opened);
  }
}
