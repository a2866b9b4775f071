import { readFileSync } from 'node:fs';

/** A user of this machine. */
export interface SystemUser {
  /** Undefined for a number that has no name here. */
  readonly name: string | undefined;
  readonly uid: number;
  /** The group in the user's own entry; undefined where there is none. */
  readonly gid: number | undefined;
}

/** The largest number but one: that is "leave it as it is" in chown(2). */
const largestId = 2 ** 32 - 2;

/** @param text name, or number. @returns undefined when there is no such user; numbers need no entry */
export function findUser(text: string): SystemUser | undefined {
  const [name, , uid, gid] = entryOf('passwd', text) ?? [];
  if (name !== undefined && uid !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  const number = idIn(text);
  return number === undefined ? undefined : { name: undefined, uid: number, gid: undefined };
}

/** @param text name, or number. @returns the number of the group, undefined when there is none of that name */
export function findGroup(text: string): number | undefined {
  const gid = entryOf('group', text)?.[2];
  return gid === undefined ? idIn(text) : Number(gid);
}

/** Numbers of the groups that a user is in, its own one first. */
export function groupsOf(name: string | undefined, gid: number): readonly number[] {
  const further = readDatabase('group')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , , members]) => name !== undefined && members?.split(',').includes(name) === true)
    .map(([, , id]) => Number(id));
  return [...new Set([gid, ...further])];
}

/** Columns of an entry. Other directories, such as LDAP, cannot be asked without native code: their users go by number. */
function entryOf(database: 'passwd' | 'group', key: string): string[] | undefined {
  const entries = readDatabase(database)
    .split('\n')
    .map((line) => line.split(':'));
  return entries.find(([name, , id]) => id !== undefined && /^\d+$/.test(id) && (name === key || id === key));
}

function readDatabase(database: string): string {
  try {
    return readFileSync(`/etc/${database}`, 'utf8');
  } catch {
    return '';
  }
}

function idIn(text: string): number | undefined {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return number <= largestId ? number : undefined;
}
