import type { Config } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { SocketFiles } from './socket-files.ts';
import type { StandingOrders } from './worker-slot.ts';

/** What workers need and cannot get by themselves: the primary gets it ahead of their configuration. */
export class Provisions {
  readonly #sockets: SocketFiles;

  constructor(logger: Logger) {
    this.#sockets = new SocketFiles(logger);
  }

  /** What goes to a worker before its configuration. */
  get orders(): Pick<StandingOrders, 'sockets'> {
    return { sockets: this.#sockets.handles };
  }

  /** Gets what that configuration takes. @returns why it cannot be had; nothing has changed then */
  async tryPrepare({ listen }: Config): Promise<string | undefined> {
    try {
      await this.#sockets.prepare(listen);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** The configuration that was prepared for is refused. */
  cancel(): void {
    this.#sockets.cancel();
  }

  /** It is in force: gives up what only the former one took. */
  commit({ listen }: Config): void {
    this.#sockets.commit(listen);
  }

  /** Nobody can connect any more. */
  close(): void {
    this.#sockets.close();
  }
}
