import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Which of some processes has the connection whose own port on this machine is that one. */
export function connectionOwner(pids: readonly number[], localPort: number): number {
  const hex = localPort.toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((one) => one.trim().split(/\s+/)[1]?.endsWith(`:${hex}`) === true);
  const inode = line?.trim().split(/\s+/)[9];
  const owner = pids.find((pid) => inode !== undefined && hasSocket(pid, inode));
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
