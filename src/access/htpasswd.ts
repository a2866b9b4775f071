import { passwordHashMistake } from './password-hash.ts';

/** Users with the hash of their password. Names are Latin-1 strings, one character a byte. */
export type UserHashes = ReadonlyMap<string, string>;

/** A line that lets nobody in, and why. */
export interface HtpasswdMistake {
  readonly line: number;
  readonly reason: string;
}

/**
 * Reads a file of `user:hash` lines as `htpasswd -B` writes them; what follows a second colon does not count. Lines with a
 * mistake are left out.
 * @param text Latin-1
 */
export function parseHtpasswd(text: string): {
  readonly users: UserHashes;
  readonly mistakes: readonly HtpasswdMistake[];
} {
  const users = new Map<string, string>();
  const mistakes: HtpasswdMistake[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [name = '', hash = ''] = line.split(':', 2);
    const reason = line.includes(':')
      ? (userNameMistake(name) ?? passwordHashMistake(hash.trim()))
      : 'no colon behind the user';
    if (reason !== undefined) mistakes.push({ line: index + 1, reason });
    else if (users.has(name)) mistakes.push({ line: index + 1, reason: 'a user who stands above already' });
    else users.set(name, hash.trim());
  }
  return { users, mistakes };
}

/** RFC 7617 section 2: no colon, no control characters; and it must fit into a field. */
export function userNameMistake(name: string): string | undefined {
  if (name === '') return 'an empty user name';
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f:]|[^\0-\xff]/.test(name) || name.trim() !== name) return 'a user name that no client can send';
  return name.length > 255 ? 'a user name of more than 255 bytes' : undefined;
}
