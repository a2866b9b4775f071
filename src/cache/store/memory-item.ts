import type { FileBody, PreparedResponse, StoreEntry } from '../response-store.ts';
import type { StoredResponse, VaryMarker } from '../stored-response.ts';
import type { EntryFile } from './entry-file.ts';
import type { MemoryStore } from './memory-store.ts';

/**
 * What an item costs besides texts and bytes: its objects, its place in the table, and what V8 keeps for each buffer.
 * Measured with Node.js 20 and 24 and rounded up.
 */
const itemBytes = 1024;

/** One thing that a store holds in memory, linked in the order of last use. */
export abstract class MemoryItem {
  readonly storeKey: string;
  /** What it counts as; 0 while it is in no store. */
  bytes = 0;
  /** The period in which the primary heard of a use last. */
  usedIn = -1;
  /** Where it is on disk; '' while nobody needed to know. */
  hash = '';
  newer: MemoryItem | undefined;
  older: MemoryItem | undefined;

  constructor(storeKey: string) {
    this.storeKey = storeKey;
  }

  /** Bytes of memory, overhead included. */
  abstract measure(): number;
  /** It has left the store. */
  abstract left(): void;
}

/** That a key varies. */
export class HeldMarker extends MemoryItem implements VaryMarker {
  readonly key: string;
  readonly names: readonly string[];
  readonly requestTime: number;

  constructor(storeKey: string, { key, names, requestTime }: VaryMarker) {
    super(storeKey);
    this.key = key;
    this.names = names;
    this.requestTime = requestTime;
  }

  measure(): number {
    return itemBytes + this.storeKey.length + this.key.length;
  }

  left(): void {}
}

/** A response in memory: with its body, or with the open file that has it. */
export class HeldEntry extends MemoryItem implements StoreEntry {
  response: StoredResponse;
  readonly contents: Buffer | undefined;
  source: 'memory' | 'disk';
  /** The file of the body; the entry holds one use of it while it is in the store. */
  readonly file: EntryFile | undefined;
  purged = false;
  /** Version of the orders to purge as of which it was judged; -1 for never. */
  judgedAt = -1;
  /** Which body it has on disk: another one may have come into its place. Undefined while it is not there. */
  bodyNumber: bigint | undefined;
  pins = 0;
  prepared: PreparedResponse | undefined = undefined;
  private readonly store: MemoryStore;
  private readonly open: OpenBody;

  constructor(options: HeldEntryOptions) {
    super(options.storeKey);
    this.response = options.response;
    this.contents = options.contents;
    this.source = options.source;
    this.file = options.file;
    this.store = options.store;
    this.open = options.open;
  }

  /** The same with another head; whoever holds this one keeps what was found. */
  renewed(response: StoredResponse): HeldEntry {
    const { storeKey, contents, source, file, store, open } = this;
    const entry = new HeldEntry({ storeKey, response, contents, source, file, store, open });
    entry.bodyNumber = this.bodyNumber;
    entry.hash = this.hash;
    return entry;
  }

  measure(): number {
    const { response, contents, storeKey } = this;
    let bytes = itemBytes + storeKey.length + response.key.length + response.variant.length + response.block.length;
    for (const tag of response.tags) bytes += tag.length + 32;
    return bytes + (contents === undefined ? 0 : contents.length);
  }

  left(): void {
    this.file?.release();
  }

  pin(): void {
    this.store.pin(this);
  }

  unpin(): void {
    this.store.unpin(this);
  }

  readNow(memory: Buffer): boolean {
    return this.file?.readNow(memory) === true;
  }

  openBody(opened: (body: FileBody | undefined) => void): void {
    this.open(this, opened);
  }
}

export type OpenBody = (entry: HeldEntry, opened: (body: FileBody | undefined) => void) => void;

export interface HeldEntryOptions {
  readonly storeKey: string;
  readonly response: StoredResponse;
  readonly contents: Buffer | undefined;
  readonly source: 'memory' | 'disk';
  readonly file: EntryFile | undefined;
  readonly store: MemoryStore;
  readonly open: OpenBody;
}
