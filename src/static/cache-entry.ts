import type { ResponseHead } from '../response/response-head.ts';
import type { CachePartition } from './file-cache.ts';
import type { FolderState } from './folder-states.ts';
import type { MadeForms } from './made-forms.ts';
import type { ReadyFile, Representation } from './representation.ts';

/** A whole response that is ready: a listing of a folder. */
export interface ReadyResponse {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** What a path leads to. */
export type CacheOutcome =
  /** `representations` has gaps where there is no sibling; the file itself stands last. */
  | { readonly kind: 'file'; readonly representations: readonly (Representation | undefined)[]; readonly path: string }
  /** A folder that was asked for without its slash. */
  | { readonly kind: 'redirect' }
  | { readonly kind: 'listing'; readonly html: ReadyResponse; readonly json: ReadyResponse }
  /** No such file; `hidden` when it may not even be looked for. */
  | { readonly kind: 'absent'; readonly hidden: boolean }
  | { readonly kind: 'failed'; readonly cause: unknown };

/** Memory of an entry besides what it holds, roughly: the object, its key in the map, its place in the list. */
const entryOverheadBytes = 400;

/**
 * One path of one handler, remembered. Plain fields, because reading them is the hottest path of the program; what every
 * request for the file needs stands first and together, because of a hundred thousand entries none is in the processor's cache.
 */
export class CacheEntry {
  /** On the clock of `performance.now()`, in whole milliseconds; from then on it must be compared with the disk. */
  private wholeExpiresAt: number;
  /** Whether it has been used since it was last passed over for eviction. */
  wasUsed = false;
  /** Whether it can be answered without looking at anything but `representations`. */
  readonly isFile: boolean;
  /** Bit n is set when the sibling of coding n is there. */
  readonly siblings: number;
  /** Compressed forms that were made here; undefined where the file is not to be compressed. */
  made: MadeForms | undefined = undefined;
  /** Of the file itself, the last of `representations`. */
  private whole: ReadyFile | undefined;
  readonly representations: readonly (Representation | undefined)[];
  readonly partition: CachePartition;
  readonly key: string;
  readonly outcome: CacheOutcome;
  /** Its file was so young when it was read that a later edit may leave no trace: read it again. */
  readonly isRacy: boolean;

  /** Its files are on file systems of this machine: looking at them again is quick. */
  isLocal = false;
  /** The folder as it was when it had no siblings but those in `representations`; undefined when that is not known. */
  folder: FolderState | undefined = undefined;

  /** What the cache counts for it; 0 while it is not in the cache. */
  bytes = 0;
  /** Neighbours in the order of eviction. */
  newer: CacheEntry | undefined = undefined;
  older: CacheEntry | undefined = undefined;

  constructor(partition: CachePartition, key: string, outcome: CacheOutcome, expiresAt: number, isRacy = false) {
    this.partition = partition;
    this.key = key;
    this.outcome = outcome;
    // A fraction would be an object of its own.
    this.wholeExpiresAt = Math.floor(expiresAt);
    this.isRacy = isRacy;
    this.isFile = outcome.kind === 'file';
    this.representations = outcome.kind === 'file' ? outcome.representations : [];
    this.siblings = siblingBits(this.representations);
    this.whole = this.representations.at(-1)?.ok;
  }

  /** The file itself as it is sent; undefined when there is none. */
  get ready(): ReadyFile | undefined {
    return this.whole;
  }

  /** Contents were put into one of its representations, or taken out of it. */
  contentsChanged(): void {
    this.whole = this.representations.at(-1)?.ok;
  }

  get expiresAt(): number {
    return this.wholeExpiresAt;
  }

  set expiresAt(time: number) {
    this.wholeExpiresAt = Math.floor(time);
  }

  /** Memory that it takes now. */
  measure(): number {
    let bytes = entryOverheadBytes + 2 * this.key.length;
    for (const representation of this.representations) {
      if (representation === undefined) continue;
      bytes += representation.overheadBytes + (representation.contents?.length ?? 0);
    }
    for (const form of this.made?.representations ?? [])
      bytes += form === undefined ? 0 : form.overheadBytes + form.size;
    const { outcome } = this;
    if (outcome.kind === 'listing') bytes += outcome.html.body.length + outcome.json.body.length + 1024;
    return bytes;
  }
}

function siblingBits(representations: readonly (Representation | undefined)[]): number {
  let bits = 0;
  for (let index = 0; index < representations.length - 1; index++) {
    if (representations[index] !== undefined) bits |= 1 << index;
  }
  return bits;
}
