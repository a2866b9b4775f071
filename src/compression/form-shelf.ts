import type { Coding } from './coding.ts';

/** Where the compressed forms of one body are kept beside it for longer than memory lasts. */
export interface FormShelf {
  /** @param found called once, now or later; undefined for none, or none of this very body */
  find(coding: Coding, found: (coded: Buffer | undefined) => void): void;
  /** Keeps a form that was made. It may fail: then it is made once more some day. */
  keep(coding: Coding, coded: Buffer): void;
}
