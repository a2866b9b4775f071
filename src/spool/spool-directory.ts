import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { formatSize } from '../config/units.ts';
import type { Logger } from '../log/logger.ts';
import { GaugedBudget } from '../metrics/gauged-budget.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';
import { nodeSpoolDisk, type SpoolDisk } from './spool-disk.ts';
import { type SpoolFailure, SpoolFile, type SpoolFileOwner } from './spool-file.ts';

/** Names begin with it during the moment in which a file has one. */
const namePrefix = 'portico-spool-';
/** Emptied files kept for the next body: opening and unlinking may wait for a disk that is busy. */
const maxSpare = 16;
/** A full disk fails many requests: each is counted, one in this time is logged. */
const logIntervalMs = 10_000;

/** What is configured of the spool, for the whole worker. */
export interface SpoolLimits {
  /** Absolute path. */
  readonly directory: string;
  /** Bytes. */
  readonly size: number;
}

/** Where bodies go that are too large for memory. Nothing in it has a name, so that nothing is left whatever ends the process. */
export class SpoolDirectory implements SpoolFileOwner {
  readonly disk: SpoolDisk;
  /** How much all spool files of the worker may hold together. */
  readonly budget: GaugedBudget;
  private readonly logger: Logger;
  private readonly files: Gauge;
  private readonly failures: Readonly<Record<SpoolFailure['kind'], Counter>>;
  private directory: string;
  /** Of the present directory. */
  private readonly spare: number[] = [];
  private readonly current = new Set<number>();
  private loggedAt = Number.NEGATIVE_INFINITY;

  constructor(limits: SpoolLimits, recorder: Recorder, logger: Logger, disk: SpoolDisk = nodeSpoolDisk) {
    this.directory = limits.directory;
    this.logger = logger;
    this.disk = disk;
    this.budget = new GaugedBudget(limits.size, recorder.gauge(metricNames.spoolBytes, {}));
    this.files = recorder.gauge(metricNames.spoolFiles, {});
    this.failures = {
      full: recorder.counter(metricNames.spoolFailures, { reason: 'full' }),
      failed: recorder.counter(metricNames.spoolFailures, { reason: 'failed' }),
    };
    this.prepare();
  }

  /** Takes new limits, at reload. Files in use stay where they are. */
  configure({ directory, size }: SpoolLimits): void {
    this.budget.configure(size);
    if (directory === this.directory) return;
    this.directory = directory;
    this.closeSpare();
    this.current.clear();
    this.prepare();
  }

  /** An empty file, or why there is none. */
  open(): SpoolFile | SpoolFailure {
    try {
      const fd = this.spare.pop() ?? this.disk.open(this.directory, `${namePrefix}${randomBytes(12).toString('hex')}`);
      this.current.add(fd);
      this.files.add(1);
      return new SpoolFile(this, fd);
    } catch (error) {
      const failure: SpoolFailure = { kind: 'failed', error: error as Error };
      this.failed(failure);
      return failure;
    }
  }

  failed(failure: SpoolFailure): void {
    this.failures[failure.kind].add(1);
    const now = performance.now();
    if (now - this.loggedAt < logIntervalMs) return;
    this.loggedAt = now;
    const { directory } = this;
    if (failure.kind === 'full') {
      this.logger.warn('the spool is full', { directory, size: formatSize(this.budget.limit) });
    } else {
      this.logger.error('the spool cannot be used', { directory, error: failure.error });
    }
  }

  closed(fd: number): void {
    this.files.add(-1);
    if (!this.current.delete(fd) || this.spare.length >= maxSpare) return this.disk.close(fd);
    const { directory } = this;
    this.disk.empty(fd, (error) => {
      if (error === null && directory === this.directory && this.spare.length < maxSpare) this.spare.push(fd);
      else this.disk.close(fd);
    });
  }

  /** Closes what is kept for later. */
  close(): void {
    this.closeSpare();
    this.current.clear();
  }

  private closeSpare(): void {
    for (const fd of this.spare.splice(0)) this.disk.close(fd);
  }

  private prepare(): void {
    try {
      this.disk.prepare(this.directory, namePrefix);
    } catch (error) {
      // Small bodies need no file; each that does will fail, and say so.
      this.failed({ kind: 'failed', error: error as Error });
    }
  }
}
