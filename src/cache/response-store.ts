import type { StoredResponse, VaryMarker } from './stored-response.ts';

/**
 * Where responses are kept: in memory, per worker, in front of files that all workers share. Keys are text; what a key
 * leads to on disk is the store's own affair. Nothing here judges freshness; purged entries are never found.
 */
export interface ResponseStore {
  /** In memory, else undefined, which says nothing about the disk. The hottest call of the cache. */
  peek(storeKey: string): StoreEntry | VaryMarker | undefined;
  /** In memory or on disk; small ones are in memory afterwards. `found` is called now or later, once, with undefined for nothing. */
  find(storeKey: string, found: (entry: StoreEntry | VaryMarker | undefined) => void): void;
  /**
   * Begins to store. The entry is found by others when `commit` has ended; until then followers may read along.
   * @param bodyLength when it is known
   * @returns undefined when it cannot be stored: no space, disk failing, larger than an entry may be
   */
  begin(
    storeKey: string,
    response: Omit<StoredResponse, 'bodyLength'>,
    bodyLength: number | undefined,
  ): EntryWriter | undefined;
  /** Keeps that a key varies. */
  mark(storeKey: string, marker: VaryMarker): void;
  /** Puts a renewed head in the place of an entry's own (RFC 9111 section 4.3.4); the body stays. */
  renew(storeKey: string, entry: StoreEntry, response: StoredResponse): void;
  remove(storeKey: string): void;
}

/** A stored response that was found. Immutable; it may be used for as long as somebody holds it, also after it was removed. */
export interface StoreEntry {
  readonly response: StoredResponse;
  /** The body, when it is in memory; otherwise `openBody`. */
  readonly contents: Buffer | undefined;
  /** Where it came from, for Cache-Status and metrics. */
  readonly source: 'memory' | 'disk';
  /** The body as part of a file, to be sent as static files are. Whoever gets it calls `close` once. */
  openBody(opened: (body: FileBody | undefined) => void): void;
}

/** A body on disk: `length` bytes from `offset` of an open file. Every piece is verified before it is given out. */
export interface FileBody {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  /** Whether bytes read from `position` (relative to the body) are what was stored. Pieces as `verifiedPieceBytes`, or all. */
  verify(position: number, bytes: Buffer): boolean;
  /** The body turned out torn or unreadable: counts it and removes the entry. */
  failed(): void;
  close(): void;
}

/** A response that is being stored. Bounded memory: `write` says when to wait. */
export interface EntryWriter {
  /** @returns false when the writer holds as much as it may: the chunk was taken, the next one after `onDrain` */
  write(chunk: Uint8Array): boolean;
  onDrain: (() => void) | undefined;
  /** Bytes that are in the file, for those that read along. */
  readonly written: number;
  /** Called when `written` has grown, and when the writer has failed. */
  onProgress: (() => void) | undefined;
  readonly failed: boolean;
  /** For followers in other processes: the file that grows, and where its body begins. Undefined for one in memory only. */
  readonly file: { readonly path: string; readonly bodyOffset: number } | undefined;
  /** The body is complete. `done` gets the entry, or undefined when it could not be stored. */
  commit(done: (entry: StoreEntry | undefined) => void): void;
  /** Nothing is kept. */
  abandon(): void;
}
