import type { ReloadResult } from '../admin/status-report.ts';
import type { Config } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import type { RootLogger } from '../log/logger.ts';
import type { AdminEndpoint } from './admin-endpoint.ts';
import { AddressError } from './port-reservation.ts';
import type { PrimaryMetrics } from './primary-metrics.ts';
import { type LoadedConfig, resolveAddresses, type ServedConfig } from './served-config.ts';
import type { TransitionResult } from './worker-fleet.ts';
import type { Target } from './worker-slot.ts';

export interface ReloadOptions {
  /** Reads the configuration anew. */
  readonly load: () => Promise<LoadResult>;
  /** Brings every worker to it, or none. */
  readonly apply: (target: Target) => Promise<TransitionResult>;
  readonly admin: Pick<AdminEndpoint, 'prepare'>;
  readonly metrics: Pick<PrimaryMetrics, 'reloadSucceeded' | 'reloadFailed'>;
  readonly logger: RootLogger;
  readonly initial: ServedConfig;
  /** What else a change asks for, once it is in force everywhere. */
  readonly changed: (former: Config, next: Config) => void;
  /** Not any more while stopping. */
  readonly allowed: () => boolean;
}

/**
 * SIGHUP: the configuration is read anew and either comes into force everywhere or nowhere. Until every worker has
 * confirmed it the former one counts; whatever fails is logged and counted, and nothing that is served notices.
 */
export class Reload {
  /** The configuration in force. */
  served: ServedConfig;
  /** What came of the last one. */
  last: ReloadResult | undefined;
  private readonly options: ReloadOptions;
  /** Never used twice: a worker's late answer to a refused one must not pass for that to the next. */
  private lastGeneration: number;
  private running = false;
  private again = false;

  constructor(options: ReloadOptions) {
    this.options = options;
    this.served = options.initial;
    this.lastGeneration = options.initial.generation;
  }

  /** Reloads; when one is running, once more after it, since the file may have changed behind its back. */
  async request(): Promise<void> {
    this.again = true;
    if (this.running) return;
    this.running = true;
    try {
      while (this.again && this.options.allowed()) {
        this.again = false;
        await this.run();
      }
    } finally {
      this.running = false;
    }
  }

  private async run(): Promise<void> {
    const { load, logger } = this.options;
    try {
      const loaded = await load();
      if (loaded.ok) return await this.take(loaded);
      const { length } = loaded.problems;
      this.refuse(`${length} ${length === 1 ? 'mistake' : 'mistakes'} in the configuration`);
      for (const problem of loaded.problems) {
        const [line = ''] = formatProblems([problem], { colour: false }).split('\n', 1);
        logger.error(line);
      }
    } catch (error) {
      if (error instanceof AddressError) return this.refuse(error.message);
      this.refuse(error instanceof Error ? error.message : String(error), error);
    }
  }

  private async take(loaded: LoadedConfig): Promise<void> {
    const { apply, admin, metrics, logger, changed } = this.options;
    const former = this.served;
    const config = await resolveAddresses(loaded.config, former.config);
    const adminChange = await admin.prepare(config.admin);
    const generation = ++this.lastGeneration;
    const result = await apply({ generation, config });
    if (!result.ok) {
      await adminChange.cancel();
      return this.refuse(result.reason);
    }
    await adminChange.commit();
    const loadedAt = new Date();
    this.served = { generation, config, hash: loaded.hash, source: loaded.source, loadedAt };
    this.last = { at: loadedAt.getTime(), success: true };
    metrics.reloadSucceeded(loadedAt.getTime());
    logger.configure(config.log);
    for (const warning of loaded.warnings) logger.warn(warning);
    logger.info('configuration reloaded', { generation, hash: loaded.hash, source: loaded.source });
    changed(former.config, config);
  }

  private refuse(reason: string, error?: unknown): void {
    this.last = { at: Date.now(), success: false, error: reason };
    this.options.metrics.reloadFailed();
    const fields = { generation: this.served.generation, ...(error === undefined ? {} : { error }) };
    this.options.logger.error(`reload refused, the former configuration goes on: ${reason}`, fields);
  }
}
