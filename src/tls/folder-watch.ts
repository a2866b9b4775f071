import { type FSWatcher, watch } from 'node:fs';
import type { Logger } from '../log/logger.ts';

/** Certificates are replaced file by file: what is there a moment after the last change belongs together. */
const settleMs = 500;

/** Tells when something has changed in folders with certificates, once it has settled. */
export class FolderWatch {
  readonly #changed: () => void;
  readonly #logger: Logger;
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(folders: readonly string[], logger: Logger, changed: () => void) {
    this.#changed = changed;
    this.#logger = logger;
    for (const folder of folders) this.#watch(folder);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#settle());
      // A folder that goes away is noticed at the next reload; what was read stays in force.
      watcher.on('error', (error) => this.#logger.warn(`cannot watch ${folder} for certificates any more`, { error }));
      this.#watchers.push(watcher);
    } catch (error) {
      this.#logger.warn(`cannot watch ${folder} for certificates: they are read anew by a reload only`, { error });
    }
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#changed, settleMs).unref();
  }
}
