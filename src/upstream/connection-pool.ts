import type { Connection } from './connection.ts';

/**
 * The idle connections to one server. The one used last is taken first: it is the least likely to have been closed by
 * the server meanwhile, and those not needed grow old and are closed.
 */
export class ConnectionPool {
  /** Oldest first. */
  private readonly idle: Connection[] = [];

  get size(): number {
    return this.idle.length;
  }

  /** Keeps a connection. @returns false when there are `maxIdle` already */
  put(connection: Connection, now: number, maxIdle: number): boolean {
    if (this.idle.length >= maxIdle) return false;
    connection.idleSince = now;
    this.idle.push(connection);
    return true;
  }

  /** The connection used last, or undefined when none is younger than `idleTimeoutMs`. */
  take(now: number, idleTimeoutMs: number): Connection | undefined {
    const connection = this.idle.pop();
    if (connection === undefined) return undefined;
    if (now - connection.idleSince < idleTimeoutMs) return connection;
    connection.destroy();
    // Those below it are older still.
    this.clear();
    return undefined;
  }

  /** Forgets a connection that has closed. */
  remove(connection: Connection): void {
    const index = this.idle.lastIndexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
  }

  /** Closes what has been idle too long. */
  sweep(now: number, idleTimeoutMs: number): void {
    let old = 0;
    for (const connection of this.idle) {
      if (now - connection.idleSince < idleTimeoutMs) break;
      old++;
    }
    if (old > 0) for (const connection of this.idle.splice(0, old)) connection.destroy();
  }

  /** Closes all. */
  clear(): void {
    for (const connection of this.idle.splice(0)) connection.destroy();
  }
}
