import type { StoredResponse, VaryMarker } from './stored-response.ts';

/**
 * Where responses are kept: in memory, per worker, in front of files that all workers share. Keys are text; what a key
 * leads to on disk is the store's own affair. Nothing here judges freshness; what a hard purge concerns is never found.
 */
export interface ResponseStore {
  /** Whether what is stored outlives the process, and is found by others. */
  readonly isDurable: boolean;
  /** In memory, else undefined, which says nothing about the disk. The hottest call of the cache. */
  peek(storeKey: string): StoreEntry | VaryMarker | undefined;
  /**
   * On disk, or in memory where the disk has nothing newer: also to be asked when what is in memory cannot be used any more,
   * as another worker may have renewed it. Small ones are in memory afterwards. `found` is called now or later, once, with
   * undefined for nothing.
   */
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
  /** Takes it out of every worker's memory and from disk. */
  remove(storeKey: string): void;
}

/** A stored response that was found. It may be used for as long as somebody holds it, also after it was removed. */
export interface StoreEntry {
  readonly response: StoredResponse;
  /** Whether a soft purge concerns it: to be taken as stale, whatever its lifetime says. */
  readonly purged: boolean;
  /** The body, when it is in memory; otherwise `openBody`. */
  readonly contents: Buffer | undefined;
  /** Where its body came from, for Cache-Status and metrics. */
  readonly source: 'memory' | 'disk';
  /** What the route that answered with it last made of it; the store knows nothing of it. */
  prepared: PreparedResponse | undefined;
  /** A slow client holds `contents`: they count against the bound of the memory until `unpin`, also after they left it. */
  pin(): void;
  unpin(): void;
  /**
   * Reads the whole body within the call, where that takes no longer than copying it: its file is open, and was read a
   * moment ago.
   * @param memory as large as the body at least
   * @returns false when it was not read
   */
  readNow(memory: Buffer): boolean;
  /** The body as part of a file. Whoever gets it calls `close` once. Undefined: it is gone, which was counted. */
  openBody(opened: (body: FileBody | undefined) => void): void;
}

/** What a route has made of a stored response. */
export interface PreparedResponse {
  /** For whom. */
  readonly owner: object;
}

/** Says how many bytes were read; fewer than asked for only with an error. */
export type BodyRead = (error: Error | null, bytesRead: number) => void;

/** A body on disk: `length` bytes from `offset` of an open file, which others may have renewed or unlinked meanwhile. */
export interface FileBody {
  readonly length: number;
  /**
   * Reads bytes that are what was stored: pieces of the file are verified before they are given out, once for each open
   * file, wherever a read begins and ends. An error means a torn or unreadable body: it was counted, the entry removed.
   * @param position relative to the body; the memory must be left alone until `done`
   */
  read(memory: Buffer, offset: number, length: number, position: number, done: BodyRead): void;
  /** Not before reads under way have come back. */
  close(): void;
}

/** A response that is being stored. Bounded memory: `write` says when to wait. */
export interface EntryWriter {
  /** @returns false when the writer holds as much as it may: the chunk was taken (copied), the next one after `onDrain` */
  write(chunk: Uint8Array): boolean;
  onDrain: (() => void) | undefined;
  /** Bytes of the body that can be read along: those in the file, or in memory while there is no file. */
  readonly written: number;
  /** Called when `written` has grown, when there is a file from now on, and when the writer has failed. */
  onProgress: (() => void) | undefined;
  readonly failed: boolean;
  /** For followers: the file that grows, and where its body begins. Undefined while it is in memory only. */
  readonly file: { readonly path: string; readonly bodyOffset: number } | undefined;
  /** While there is no file: the bytes from that position on that are in memory, a part of them at least; for followers in this process. */
  held(position: number): Uint8Array | undefined;
  /** Somebody in another process wants to read along: what is in memory goes to a file as soon as it can. */
  share(): void;
  /** The body is complete. `done` gets the entry, or undefined when it could not be stored; never within the call. */
  commit(done: (entry: StoreEntry | undefined) => void): void;
  /** Nothing is kept. */
  abandon(): void;
}
