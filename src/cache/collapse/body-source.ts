import type { FollowedFile } from './followed-file.ts';

/** A body that arrives, as those see it who read along. */
export interface BodySource {
  /** Bytes that have come so far. */
  readonly received: number;
  /** Bytes of the whole body when they are known. */
  readonly length: number | undefined;
  /** Whether nothing follows what was received. */
  readonly complete: boolean;
  /** Bytes from that position on that are in memory; they do not change. */
  held(position: number): Uint8Array | undefined;
  /** Where the first `inFile` bytes are. */
  readonly file: FollowedFile | undefined;
  readonly inFile: number;
  /** The reader needs nothing any more: it has it all, or cannot go on. */
  left(reader: object): void;
  /** The reader is not behind any more, or less so. */
  moved(): void;
}
