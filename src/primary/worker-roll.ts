import type { RollReason, RollReport } from '../admin/status-report.ts';
import type { Logger } from '../log/logger.ts';
import type { PrimaryMetrics } from './primary-metrics.ts';
import type { ReplacementResult } from './worker-fleet.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** A worker that is over its memory limit again so soon after it was replaced is left alone for the rest of this time. */
const memoryRestMs = 60_000;

export interface RollOptions {
  readonly fleet: {
    readonly slots: readonly WorkerSlot[];
    replaceWorker(number: number, timeoutMs: number): Promise<ReplacementResult>;
    resize(workers: number, timeoutMs: number): void;
  };
  readonly metrics: Pick<PrimaryMetrics, 'rolled'>;
  readonly logger: Logger;
  /** How long a predecessor has to finish, milliseconds. */
  readonly shutdownTimeoutMs: () => number;
  readonly now?: () => number;
}

/** Replaces workers that serve, one after the other. */
export class WorkerRoll {
  /** The one under way. */
  current: RollReport | undefined;
  /** How the last one ended. */
  last: RollReport | undefined;
  private readonly options: RollOptions;
  private readonly now: () => number;
  private queue: Promise<void> = Promise.resolve();
  /** Rolls that wait or run. */
  private pending = 0;
  private readonly memoryRolledAt = new Map<number, number>();
  /** Slots that a roll for memory is queued for. */
  private readonly memoryPending = new Set<number>();

  constructor(options: RollOptions) {
    this.options = options;
    this.now = options.now ?? Date.now;
  }

  /** Whether one runs or waits. */
  get busy(): boolean {
    return this.pending > 0;
  }

  /** Replaces every worker. @returns when all have been replaced, or one could not be */
  all(reason: RollReason): Promise<void> {
    return this.enqueue(() =>
      this.run(
        reason,
        this.options.fleet.slots.map(({ number }) => number),
      ),
    );
  }

  /** Brings the number of workers to what is configured, once no roll is under way. */
  resize(workers: number): Promise<void> {
    return this.enqueue(async () => this.options.fleet.resize(workers, this.options.shutdownTimeoutMs()));
  }

  /** Replaces the worker of a slot when its resident memory is over the limit; called with each report. */
  checkMemory(slot: WorkerSlot, limitBytes: number | false): void {
    const rssBytes = slot.workerState?.rssBytes ?? 0;
    if (limitBytes === false || rssBytes <= limitBytes || slot.state !== 'serving') return;
    const { number } = slot;
    const rolledAt = this.memoryRolledAt.get(number) ?? Number.NEGATIVE_INFINITY;
    if (this.memoryPending.has(number) || this.now() - rolledAt < memoryRestMs) return;
    this.memoryPending.add(number);
    this.options.logger.warn(`worker ${number} is over workerMaxMemory and is replaced`, { slot: number, rssBytes });
    void this.enqueue(async () => {
      await this.run('memory', [number]);
      this.memoryRolledAt.set(number, this.now());
      this.memoryPending.delete(number);
    });
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    this.pending += 1;
    this.queue = this.queue.then(task).finally(() => (this.pending -= 1));
    return this.queue;
  }

  private async run(reason: RollReason, numbers: readonly number[]): Promise<void> {
    const { fleet, logger, metrics, shutdownTimeoutMs } = this.options;
    const report = { reason, startedAt: this.now(), workers: numbers.length, replaced: 0, cut: 0 };
    this.current = report;
    logger.info('replacing workers, one after the other', { reason, workers: numbers.length });
    let error: string | undefined;
    for (const number of numbers) {
      const result = await fleet.replaceWorker(number, shutdownTimeoutMs());
      if (!result.ok) {
        error = result.reason;
        break;
      }
      report.replaced += 1;
      report.cut += result.cut;
    }
    this.current = undefined;
    this.last = { ...report, endedAt: this.now(), ...(error === undefined ? {} : { error }) };
    metrics.rolled(reason, error === undefined);
    const fields = { reason, replaced: report.replaced, requestsCut: report.cut };
    if (error === undefined) logger.info('workers replaced', fields);
    else logger.error(`workers not replaced, those there are go on: ${error}`, fields);
  }
}
