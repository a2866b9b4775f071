import { formatDuration } from '../config/units.ts';
import type { Logger } from '../log/logger.ts';

/** What a shutdown does to the workers; the fleet is one. */
export interface Stoppable {
  /** @returns how many requests were cut, when the last worker is gone */
  drain(timeoutMs: number): Promise<number>;
  kill(reason: string): void;
}

/**
 * - `stopped`: as asked; requests that outlived `shutdownTimeout` were cut and named in the log, as NGINX does
 * - `forced`: a second signal threw away what was in flight
 */
export type ShutdownResult = 'stopped' | 'forced';

/** The way out: the first signal lets requests in flight finish, the second does not wait for them. */
export class Shutdown {
  private readonly workers: Stoppable;
  private readonly logger: Logger;
  private readonly force: Promise<'forced'>;
  private forceNow: (() => void) | undefined;
  private running: Promise<ShutdownResult> | undefined;

  constructor(workers: Stoppable, logger: Logger) {
    this.workers = workers;
    this.logger = logger;
    this.force = new Promise((resolve) => (this.forceNow = () => resolve('forced')));
  }

  /** Stopping: /ready answers 503 from here on. */
  get begun(): boolean {
    return this.running !== undefined;
  }

  /**
   * Begins to stop, or ends at once when it began already.
   * @param reason what is written to the log: `SIGTERM`
   * @param timeoutMs longest time that requests in flight are waited for
   */
  request(reason: string, timeoutMs: number): Promise<ShutdownResult> {
    if (this.running === undefined) {
      this.running = this.run(reason, timeoutMs);
    } else {
      this.logger.warn(`${reason} while stopping: ending at once`);
      this.workers.kill('was not waited for');
      this.forceNow?.();
    }
    return this.running;
  }

  private async run(reason: string, timeoutMs: number): Promise<ShutdownResult> {
    this.logger.info(
      `${reason}: stopping when the requests in flight are finished, within ${formatDuration(timeoutMs)}`,
    );
    const drained = this.workers.drain(timeoutMs);
    const cut = await Promise.race([drained, this.force]);
    if (cut === 'forced') return 'forced';
    if (cut > 0) {
      const what = cut === 1 ? '1 request was' : `${cut} requests were`;
      this.logger.warn(`stopped; ${what} cut, not finished within ${formatDuration(timeoutMs)}`, { requests: cut });
    } else {
      this.logger.info('stopped');
    }
    return 'stopped';
  }
}
