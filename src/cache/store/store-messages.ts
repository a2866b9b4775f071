/** What a worker tells the primary's keeper about one zone. */
export interface CacheReport {
  readonly zone: string;
  /** Files that have their final name since, new or in the place of another. */
  readonly stored?: readonly StoredFile[];
  /** Store keys that were removed: no worker may find them any more. */
  readonly removed?: readonly string[];
  /** Files that turned out corrupt or unreadable and were unlinked, by hash. */
  readonly lost?: readonly string[];
  /** Hashes of entries that were used, one behind the other. */
  readonly used?: string;
  /** Bytes that it waits for to be leased, all in all; 0: not any more. */
  readonly wanted?: number;
  /** Bytes of its lease that it does not need any more. */
  readonly returned?: number;
}

/** A file of the store as the keeper has to know it. */
export interface StoredFile {
  /** As `entryHash` has it. */
  readonly hash: string;
  readonly storeKey: string;
  /** What it takes on disk, rounded up as `diskBytes` does. */
  readonly bytes: number;
  /** The primary key of the response, and what it is tagged with. */
  readonly key: string;
  readonly tags: readonly string[];
}

/** What the keeper tells a worker about one zone. */
export interface CacheOrder {
  readonly zone: string;
  /** Whether and where files are read and written from now on; undefined leaves it as it was. */
  readonly disk?: DiskAccess | 'closed';
  /** Bytes that it may write in addition. */
  readonly granted?: number;
  /** Others need space: what is not in use goes back. */
  readonly recalled?: boolean;
  /** Store keys that another worker removed or replaced. */
  readonly forgotten?: readonly string[];
  /** Hashes of files that were evicted: whoever has one open closes it. One behind the other. */
  readonly evicted?: string;
}

/** The right to use a zone's folder. */
export interface DiskAccess {
  readonly folder: string;
  /** Begins the names of temporary files of this worker, so that they are known for what they are when it has died. */
  readonly session: string;
}

/** What a file of that size takes on disk, near enough: whole blocks, and its name. */
export function diskBytes(size: number): number {
  return Math.ceil(size / 4096) * 4096;
}
