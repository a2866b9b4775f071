import type { BigIntStats } from 'node:fs';

/** What tells one state of a file from another. Nanoseconds, because two edits within one second are not rare. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** A file changed within this time before it was looked at may change again without its times showing it (coarse clocks). */
export const racyMs = 2000n;

export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  return { dev, ino, size, mtimeNs, ctimeNs };
}

/** Whether it is the same file with the same contents. */
export function sameContents(a: FileIdentity, b: FileIdentity): boolean {
  return sameFile(a, b) && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

/** Whether nothing at all has changed: contents, permissions, links to it. */
export function sameState(a: FileIdentity, b: FileIdentity): boolean {
  return sameContents(a, b) && a.ctimeNs === b.ctimeNs;
}

export function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
