import type { Account, Config } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import type { TlsFileContents } from '../tls/tls-files.ts';
import { SocketFiles } from './socket-files.ts';
import { TlsFileDesk } from './tls-file-desk.ts';
import { giveLogFile, giveToWorkers } from './worker-property.ts';
import type { StandingOrders } from './worker-slot.ts';

/** What workers need and cannot get by themselves: the primary gets it ahead of their configuration. */
export class Provisions {
  readonly #sockets: SocketFiles;
  readonly #tlsFiles: TlsFileDesk;
  #inForce: Config | undefined;

  /** @param announce gives the workers that there are certificates and keys that have changed */
  constructor(logger: Logger, announce: (files: TlsFileContents) => void) {
    this.#sockets = new SocketFiles(logger);
    this.#tlsFiles = new TlsFileDesk(logger, announce);
  }

  /** What goes to a worker before its configuration, and with it. */
  get orders(): Pick<StandingOrders, 'sockets' | 'tlsFiles'> {
    const { contents } = this.#tlsFiles;
    return { sockets: this.#sockets.handles, ...(contents === undefined ? {} : { tlsFiles: contents }) };
  }

  /** Gets what that configuration takes. @returns why it cannot be had; nothing has changed then */
  async tryPrepare(config: Config): Promise<string | undefined> {
    if (this.#inForce !== undefined && !isSame(this.#inForce.account, config.account)) {
      return 'user, group: workers cannot become another user while others serve; that takes a restart';
    }
    try {
      giveToWorkers(config);
      await this.#sockets.prepare(config.listen);
      this.#tlsFiles.prepare(config);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** The configuration that was prepared for is refused. */
  cancel(): void {
    this.#sockets.cancel();
    if (this.#inForce !== undefined) this.#tlsFiles.settle(this.#inForce);
  }

  /** It is in force: gives up what only the former one took. */
  commit(config: Config): void {
    this.#inForce = config;
    this.#sockets.commit(config.listen);
    this.#tlsFiles.settle(config);
  }

  /** Before workers open their log files anew. */
  reopenLogs(): void {
    if (this.#inForce !== undefined) giveLogFile(this.#inForce);
  }

  /** Nobody can connect any more. */
  close(): void {
    this.#sockets.close();
    this.#tlsFiles.close();
  }
}

function isSame(a: Account | undefined, b: Account | undefined): boolean {
  return a?.uid === b?.uid && a?.gid === b?.gid;
}
