import { readFileSync } from 'node:fs';
import type { Logger } from '../log/logger.ts';

const setting = '/proc/sys/net/ipv4/tcp_migrate_req';

/**
 * Whether the kernel gives connections that wait at a listening socket to another one on the same port when the first is closed
 * or its process dies (Linux from 5.14, `net.ipv4.tcp_migrate_req`).
 * @returns undefined where there is no such setting
 */
export function queuesMigrate(file: string = setting): boolean | undefined {
  try {
    return readFileSync(file, 'utf8').trim() !== '0';
  } catch {
    return undefined;
  }
}

/** Says once what happens to queued connections here: for whoever looks, as nothing is wrong. */
export function logQueueMigration(logger: Logger, migrate: boolean | undefined): void {
  if (migrate === true) {
    logger.debug('net.ipv4.tcp_migrate_req is on: connections queued at a worker that stops or dies go to another one');
  } else {
    const why = migrate === undefined ? 'this kernel has no net.ipv4.tcp_migrate_req' : 'net.ipv4.tcp_migrate_req is 0';
    logger.debug(`${why}: connections queued at a worker that dies are reset; docs/operations.md says more`);
  }
}
