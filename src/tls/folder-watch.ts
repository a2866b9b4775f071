import { type FSWatcher, watch } from 'node:fs';
import type { Logger } from '../log/logger.ts';

/** Certificates are replaced file by file: what is there a moment after the last change belongs together. */
const settleMs = 500;

/** Tells when something has changed in the folders of certificates, and nothing more for a moment. */
export class FolderWatch {
  readonly #settled: () => void;
  readonly #logger: Logger;
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(folders: readonly string[], settled: () => void, logger: Logger) {
    this.#settled = settled;
    this.#logger = logger;
    for (const folder of folders) this.#watch(folder);
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
    this.#timer = setTimeout(this.#settled, settleMs).unref();
  }
}
