import fs from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../cache/store/entry-key.ts';
import type { Account, Config } from '../config/config.ts';

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const folderMode = 0o700;
const logMode = 0o640;

/**
 * Makes what workers write to, and gives it to the user whom they become. Only what is missing, or is root's.
 * @throws Error with a message for the operator
 */
export function giveToWorkers(config: Config): void {
  const { account } = config;
  if (account === undefined) return;
  for (const { name, directory } of Object.values(config.caches)) {
    if (directory !== undefined) giveCacheFolder(directory, name, account);
  }
  giveLogFile(config);
}

/** The same for the log file alone, which logrotate has moved away. NGINX: its master does it at SIGUSR1. */
export function giveLogFile({ account, accessLog }: Pick<Config, 'account' | 'accessLog'>): void {
  if (account === undefined || accessLog === false || ['stdout', 'stderr'].includes(accessLog.path)) return;
  let fd: number;
  try {
    // A folder that the worker may write to could have a link to anything under that name.
    fd = fs.openSync(accessLog.path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, logMode);
  } catch {
    // A link, or a pipe without a reader: the worker opens it if it may, and says why not.
    return;
  }
  try {
    const stat = fs.fstatSync(fd);
    // The second name of a file may be one that counts elsewhere.
    if (stat.isFile() && stat.nlink === 1 && stat.uid === 0) fs.fchownSync(fd, account.uid, account.gid);
  } finally {
    fs.closeSync(fd);
  }
}

/** A folder of caches, and the one of a cache in it. */
function giveCacheFolder(folder: string, zone: string, account: Account): void {
  fs.mkdirSync(folder, { recursive: true, mode: folderMode });
  const stat = fs.lstatSync(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is no folder`);
  const isGiven = stat.uid !== 0;
  for (const path of [join(folder, zone), temporaryFolder(join(folder, zone))]) {
    const created = fs.mkdirSync(path, { recursive: true, mode: folderMode });
    // In a folder of that user names may stand for anything by now: nothing is looked into.
    if (isGiven && created !== undefined) fs.lchownSync(path, account.uid, account.gid);
  }
  if (!isGiven) giveTree(folder, account);
}

/** From the inside out: while the folder is root's nobody can exchange what is in it. */
function giveTree(folder: string, account: Account): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) giveTree(path, account);
    else fs.lchownSync(path, account.uid, account.gid);
  }
  fs.lchownSync(folder, account.uid, account.gid);
}
