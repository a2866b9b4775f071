import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Which of some processes has the connection whose own port on this machine is that one. */
export function connectionOwner(pids: readonly number[], localPort: number): number {
  const hex = localPort.toString(16).toUpperCase().padStart(4, '0');
  // Others may have the same port towards somebody else.
  const inodes = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local?.endsWith(`:${hex}`) === true)
    .map((columns) => columns[9] ?? '0')
    .filter((inode) => inode !== '0');
  const owner = pids.find((pid) => inodes.some((inode) => hasSocket(pid, inode)));
  if (owner === undefined) throw new Error(`none of the processes has a connection with port ${localPort}`);
  return owner;
}

function hasSocket(pid: number, inode: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  });
}
