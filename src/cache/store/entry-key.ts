import { hash } from 'node:crypto';

/** Hexadecimal digits of a hash: 128 bits. */
export const hashLength = 32;

/** Under which a store key is on disk. Two keys of one hash would be told apart by the key in the file. */
export function entryHash(storeKey: string): string {
  return hash('sha256', storeKey, 'hex').slice(0, hashLength);
}

/** Path within the zone's folder: 256 folders, so that a folder of a million entries has some thousand names. */
export function entryPath(folder: string, entryHashText: string): string {
  return `${folder}/${entryHashText.slice(0, 2)}/${entryHashText.slice(2)}`;
}

/** Where files are that are being written. */
export function temporaryFolder(folder: string): string {
  return `${folder}/tmp`;
}
