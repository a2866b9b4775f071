import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import * as net from 'node:net';
import { dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import type { SocketFile } from '../config/config.ts';
import { AddressError } from './port-reservation.ts';

/** A socket that is bound and accepts nothing: whoever it is handed to listens on it. */
export interface BoundSocket {
  readonly fd: number;
  /** Closes it and removes its file. */
  close(): void;
}

/**
 * What Node's own cluster makes the sockets with that its workers share. A `net.Server` would not do: it accepts in this
 * process as soon as it listens.
 * @returns the negative number of an error where it fails
 */
type CreateHandle = (path: string, port: -1, addressType: -1) => BoundSocket | number;

const createHandle = (net as unknown as { readonly _createServerHandle: CreateHandle })._createServerHandle;

/** Nobody may connect before the file has the permissions that it is to have. */
const closedMask = 0o777;

/**
 * Binds a Unix socket. A file that a dead process left there is removed; nothing else is.
 *
 * @throws AddressError
 */
export async function bindSocketFile(file: SocketFile, key: string): Promise<BoundSocket> {
  await removeStale(file, key);
  const former = process.umask(closedMask);
  let bound: BoundSocket | number;
  try {
    bound = createHandle(file.path, -1, -1);
  } finally {
    process.umask(former);
  }
  if (typeof bound === 'number') {
    // libuv says EACCES for a folder that is not there.
    const code = existsSync(dirname(file.path)) ? getSystemErrorName(bound) : 'ENOENT';
    throw failure(file, key, explain(code));
  }
  try {
    allow(file);
  } catch (error) {
    bound.close();
    const { code = '' } = error as NodeJS.ErrnoException;
    throw failure(
      file,
      key,
      `its owner and group cannot be set (${code}): that takes root, or a group that this user is in`,
    );
  }
  return bound;
}

/**
 * Has this process listen on a Unix socket, with the same care.
 * @param listen binds before it returns its promise
 * @throws AddressError, and what `listen` throws
 */
export async function listenOnFile(file: SocketFile, key: string, listen: () => Promise<unknown>): Promise<void> {
  await removeStale(file, key);
  const former = process.umask(closedMask);
  let listening: Promise<unknown>;
  try {
    listening = listen();
  } finally {
    process.umask(former);
  }
  await listening;
  allow(file);
}

/** Gives the file its owner, group and mode. */
export function allow({ path, mode, uid = -1, gid = -1 }: SocketFile): void {
  if (uid !== -1 || gid !== -1) chownSync(path, uid, gid);
  chmodSync(path, mode);
}

/** Makes sure that the path can be had: nothing is there, or a socket that nobody listens on. @throws AddressError */
export async function checkSocketFile(file: SocketFile, key: string): Promise<void> {
  await isStale(file, key);
}

async function removeStale(file: SocketFile, key: string): Promise<void> {
  if (await isStale(file, key)) unlinkSync(file.path);
}

/** @returns false where there is no file. @throws AddressError where there is another one, or a socket in use */
async function isStale(file: SocketFile, key: string): Promise<boolean> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(file.path).isSocket();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    throw failure(file, key, explain(code));
  }
  if (!isSocket) throw failure(file, key, 'a file that is no socket is there. Remove it, or choose another path');
  const refusal = await connectError(file.path);
  if (refusal === 'ECONNREFUSED' || refusal === 'ENOENT') return true;
  throw failure(file, key, explain(refusal ?? 'EADDRINUSE'));
}

/** @returns what keeps from connecting; undefined when somebody listens */
function connectError(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function failure({ path }: SocketFile, key: string, why: string): AddressError {
  return new AddressError(`unix:${path}`, `${key}: cannot listen on unix:${path}: ${why}`);
}

function explain(code: string): string {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE:
      'somebody listens there (another Portico, or another server; "ss -xlp" shows which). Stop it or choose another path',
    // A queue that is full has an owner.
    EAGAIN: 'somebody listens there and does not accept',
    EACCES: 'permission denied: the folder must be writable for the user that starts Portico',
    EPERM: 'permission denied',
    ENOENT: 'there is no such folder. Make it, or have the service manager make it (systemd: RuntimeDirectory)',
    ENOTDIR: 'a part of the path is no folder',
    EROFS: 'the file system is read-only',
  };
  return reasons[code] ?? code;
}
