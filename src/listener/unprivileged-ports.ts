import { readFileSync } from 'node:fs';

const usualFirstPort = 1024;
const setting = '/proc/sys/net/ipv4/ip_unprivileged_port_start';

/** The first port that any user may listen on (ip(7)); containers mostly set it to 0. */
export function firstUnprivilegedPort(read = (path: string): string => readFileSync(path, 'latin1')): number {
  try {
    const port = Number.parseInt(read(setting), 10);
    return Number.isNaN(port) ? usualFirstPort : port;
  } catch {
    // Not Linux.
    return usualFirstPort;
  }
}
