import { groupIn, reportUnknown } from './compile-socket.ts';
import type { Account } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import { findUser, groupsOf } from './system-account.ts';

/**
 * Who workers become; undefined where they stay who starts them: without `user`, or where that is nobody who may become another.
 * @param ownId number of the user who starts the program
 */
export function compileAccount(
  { user, group }: Pick<ParsedConfig, 'user' | 'group'>,
  diagnosis: Diagnosis,
  ownId = process.geteuid?.(),
): Account | undefined {
  if (user === undefined) {
    if (group !== undefined) {
      const allowed = 'group beside user';
      diagnosis.report(['group'], { message: 'group without user', found: quote(group), allowed });
    }
    return undefined;
  }
  const found = findUser(user);
  if (found === undefined) {
    reportUnknown('user', user, ['user'], diagnosis);
    return undefined;
  }
  const gid = group === undefined ? found.gid : groupIn(group, ['group'], diagnosis);
  if (gid === undefined) {
    if (group === undefined) {
      const message = `the user ${quote(user)} has no entry in /etc/passwd that would say its group`;
      diagnosis.report(['user'], { message, found: quote(user), allowed: 'group beside it' });
    }
    return undefined;
  }
  if (ownId !== 0) {
    if (ownId !== found.uid) diagnosis.warn(`user ${user} is ignored: only root may become another user`);
    return undefined;
  }
  if (found.uid === 0) {
    diagnosis.warn('user root: the workers, which serve strangers, have all rights on this machine');
    return undefined;
  }
  return { user, name: found.name, uid: found.uid, gid, groups: groupsOf(found.name, gid) };
}
