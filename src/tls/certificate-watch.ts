import { type FSWatcher, watch } from 'node:fs';
import type { Logger } from '../log/logger.ts';
import type { TlsTerminator } from './tls-terminator.ts';

/** Certificates are replaced file by file: what is there a moment after the last change belongs together. */
const settleMs = 500;

/** Has a listener's certificates read anew when something changes in their folders. */
export class CertificateWatch {
  readonly #terminator: TlsTerminator;
  readonly #logger: Logger;
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(terminator: TlsTerminator, logger: Logger) {
    this.#terminator = terminator;
    this.#logger = logger;
    for (const folder of terminator.folders) this.#watch(folder);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#changed());
      // A folder that goes away is noticed at the next reload; what was read stays in force.
      watcher.on('error', (error) => this.#logger.warn(`cannot watch ${folder} for certificates any more`, { error }));
      this.#watchers.push(watcher);
    } catch (error) {
      this.#logger.warn(`cannot watch ${folder} for certificates: they are read anew by a reload only`, { error });
    }
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(), settleMs).unref();
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
