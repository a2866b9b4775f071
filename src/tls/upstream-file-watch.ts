import { dirname } from 'node:path';
import type { Logger } from '../log/logger.ts';
import { FolderWatch } from './folder-watch.ts';
import type { HandedTlsFiles } from './tls-files.ts';
import {
  type ConfiguredUpstreams,
  namedUpstreamFiles,
  readUpstreamContext,
  systemUpstreamFiles,
  type UpstreamContext,
} from './upstream-context.ts';

/** Has the files that TLS to servers is made with read anew when something changes in their folders. */
export class UpstreamFileWatch {
  readonly #logger: Logger;
  /** From the primary, which watches them, where this process may not read them. */
  #handed: HandedTlsFiles | undefined;
  readonly #take: (upstream: string, context: UpstreamContext) => void;
  #contexts = new Map<string, UpstreamContext>();
  #folders = '';
  #watch: FolderWatch | undefined;

  /** @param take gets what the files of an upstream say by now, where that is something else than before */
  constructor(logger: Logger, take: (upstream: string, context: UpstreamContext) => void) {
    this.#logger = logger;
    this.#take = take;
  }

  /** Looks after these from now on. @param contextOf what is in force for an upstream */
  follow(upstreams: ConfiguredUpstreams, contextOf: (upstream: string) => UpstreamContext | undefined): void {
    this.#contexts = new Map();
    const folders = new Set<string>();
    for (const [name, { tls }] of Object.entries(upstreams)) {
      const context = contextOf(name);
      if (tls === undefined || context === undefined) continue;
      this.#contexts.set(name, context);
      const named = this.#handed === undefined ? namedUpstreamFiles(tls) : [];
      for (const file of [...named, ...systemUpstreamFiles(tls)]) folders.add(dirname(file));
    }
    const wanted = [...folders].sort().join('\0');
    if (wanted === this.#folders) return;
    this.#folders = wanted;
    this.#watch?.close();
    this.#watch = new FolderWatch([...folders], () => this.renew(), this.#logger);
  }

  /** Takes what is in the files that configurations name, which are not read from now on. */
  takeFiles(handed: HandedTlsFiles): void {
    this.#handed = handed;
  }

  /** Reads them anew now. What cannot be used does not replace what is in force. */
  renew(): void {
    for (const [upstream, former] of this.#contexts) {
      try {
        const context = readUpstreamContext(former.config, former, this.#handed);
        if (context === former) continue;
        this.#contexts.set(upstream, context);
        this.#take(upstream, context);
        this.#logger.info(`changed files for TLS to the servers of upstream ${upstream} are in force`, { upstream });
      } catch (error) {
        const what = `changed files for TLS to the servers of upstream ${upstream} cannot be used`;
        this.#logger.error(`${what}, the former ones stay in force`, { upstream, error });
      }
    }
  }

  close(): void {
    this.#watch?.close();
    this.#contexts.clear();
  }
}
