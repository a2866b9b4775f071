import type { ListenAddress } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';
import { findGroup, findUser } from './system-account.ts';

/** What a configuration says of the file of a socket. */
interface SocketFileInput {
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** The address with what is said of its file. @param path of the listener in the configuration */
export function compileSocket(
  address: ListenAddress,
  input: SocketFileInput,
  path: KeyPath,
  diagnosis: Diagnosis,
): ListenAddress {
  const { socket } = address;
  const { mode, owner, group } = input;
  if (socket === undefined) {
    for (const [key, value] of Object.entries({ mode, owner, group })) {
      if (value === undefined) continue;
      const message = `${key} is for Unix sockets`;
      diagnosis.report([...path, key], { message, found: quote(value), allowed: `${key} beside unix:/path/to/socket` });
    }
    return address;
  }
  const uid = owner === undefined ? undefined : userIn(owner, [...path, 'owner'], diagnosis);
  const gid = group === undefined ? undefined : groupIn(group, [...path, 'group'], diagnosis);
  return {
    ...address,
    socket: { ...socket, mode: mode === undefined ? socket.mode : Number.parseInt(mode, 8), uid, gid },
  };
}

function userIn(text: string, path: KeyPath, diagnosis: Diagnosis): number | undefined {
  const user = findUser(text);
  if (user === undefined) reportUnknown('user', text, path, diagnosis);
  return user?.uid;
}

/** The number of a group; reports one that does not exist. */
export function groupIn(text: string, path: KeyPath, diagnosis: Diagnosis): number | undefined {
  const gid = findGroup(text);
  if (gid === undefined) reportUnknown('group', text, path, diagnosis);
  return gid;
}

/** Reports a user or group that this machine does not have. */
export function reportUnknown(kind: 'user' | 'group', text: string, path: KeyPath, diagnosis: Diagnosis): void {
  diagnosis.report(path, {
    message: `there is no ${kind} ${quote(text)} on this machine`,
    found: quote(text),
    allowed: `a ${kind} in ${kind === 'user' ? '/etc/passwd' : '/etc/group'}, or a number`,
  });
}
