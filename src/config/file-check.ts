import { accessSync, constants, type Stats, statSync } from 'node:fs';
import type { Account } from './config.ts';
import type { Mistake } from './diagnosis.ts';
import { explainFileError } from './file-error.ts';
import { quote } from './finding.ts';

/** What keeps a folder from being served, or undefined. */
export function folderMistake(path: string): Mistake | undefined {
  try {
    if (!statSync(path).isDirectory()) return unusable(path, 'it is not a folder', 'a readable folder');
    // Looking up a name in a folder takes the right to "execute" it.
    accessSync(path, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return unusable(path, explainFileError(error), 'a readable folder');
  }
}

/** What keeps files from being made in a folder, or undefined. @param account who is to make them, where that is another user */
export function writableFolderMistake(path: string, account?: Account): Mistake | undefined {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) return unusable(path, 'it is not a folder', 'a writable folder');
    accessSync(path, constants.W_OK | constants.X_OK);
    if (account !== undefined && !mayWriteInto(stat, account)) {
      return unusable(path, `the user ${account.user} may not write into it`, 'a folder that the user may write into');
    }
    return undefined;
  } catch (error) {
    return unusable(path, explainFileError(error), 'a writable folder');
  }
}

/** What keeps a file from being read, or undefined. */
export function fileMistake(
  path: string,
  bounds: { readonly mayBeMissing?: boolean; readonly maxBytes?: number } = {},
): Mistake | undefined {
  const { mayBeMissing = false, maxBytes = Number.POSITIVE_INFINITY } = bounds;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return unusable(path, 'it is a folder', 'a readable file');
    if (stat.size > maxBytes) {
      return unusable(path, `it has ${stat.size} bytes`, `a readable file of at most ${maxBytes} bytes`);
    }
    if (!mayBeMissing) accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    if (mayBeMissing && error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return unusable(path, explainFileError(error), 'a readable file');
  }
}

/**
 * Whether everybody on the machine may put files there under names that are Portico's, or exchange those that it made.
 * @param stickyIsFine in a folder such as /tmp others may make files, and not touch ours: enough where files have no names
 */
export function isOpenToAll(path: string, stickyIsFine: boolean): boolean {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o002) !== 0 && !(stickyIsFine && (mode & 0o1000) !== 0);
}

/** The permissions say so. Access control lists are not looked at: with one, the group's bits are the most that it allows. */
function mayWriteInto({ uid, gid, mode }: Stats, account: Account): boolean {
  if (uid === account.uid) return (mode & 0o300) === 0o300;
  const bits = account.groups.includes(gid) ? 0o030 : 0o003;
  return (mode & bits) === bits;
}

function unusable(path: string, reason: string, allowed: string): Mistake {
  return { message: `cannot use ${quote(path)}: ${reason}`, found: quote(path), allowed };
}
