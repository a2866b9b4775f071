import type { Logger } from '../log/logger.ts';
import { FolderWatch } from './folder-watch.ts';
import type { TlsTerminator } from './tls-terminator.ts';

/** Has a listener's certificates read anew when something changes in their folders. */
export class CertificateWatch {
  readonly #terminator: TlsTerminator;
  readonly #logger: Logger;
  readonly #watch: FolderWatch;

  constructor(terminator: TlsTerminator, logger: Logger) {
    this.#terminator = terminator;
    this.#logger = logger;
    this.#watch = new FolderWatch(terminator.folders, () => this.#renew(), logger);
  }

  close(): void {
    this.#watch.close();
  }

  #renew(): void {
    const former = this.#terminator.store.certificates.map(({ leaf }) => leaf.fingerprint256).join();
    try {
      this.#terminator.prepare()();
    } catch (error) {
      this.#logger.error('changed certificates cannot be used, the former ones stay in force', { error });
      return;
    }
    const now = this.#terminator.store.certificates.map(({ leaf }) => leaf.fingerprint256).join();
    if (now !== former) this.#logger.info('changed certificates are in force');
  }
}
