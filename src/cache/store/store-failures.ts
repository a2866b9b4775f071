import { formatDuration } from '../../config/units.ts';
import type { Logger } from '../../log/logger.ts';
import { metricNames } from '../../metrics/names.ts';
import type { Counter, Recorder } from '../../metrics/recorder.ts';

/**
 * What can be wrong: no space on the disk; writing or reading failed; what was read is not what was written; space or the
 * disk were not there in time.
 */
export type StoreFailure = 'full' | 'write' | 'read' | 'corrupt' | 'slow';

/** For so long nothing is written to a disk that refused it: each attempt would cost calls and end the same way. */
export const storingPauseMs = 10_000;
/** Each failure is counted, one of its kind in this time is logged. */
const logIntervalMs = 10_000;

const fullCodes: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** The fault of this process, and over soon. */
const passingCodes: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EINTR', 'EAGAIN']);

const sentences: Readonly<Record<StoreFailure, string>> = {
  full: 'the disk of the cache is full',
  write: 'the cache cannot be written to',
  read: 'a stored response cannot be read',
  corrupt: 'a stored response is corrupt, and was removed',
  slow: 'the disk of the cache is too slow; responses are not stored',
};

/** Counts and logs what goes wrong with a zone's files, and says when to leave the disk alone. */
export class StoreFailures {
  private readonly zone: string;
  private readonly logger: Logger;
  private readonly now: () => number;
  private readonly counters: Readonly<Record<StoreFailure, Counter>>;
  private readonly loggedAt = new Map<StoreFailure, number>();
  private pausedUntil = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds that only grow */
  constructor(zone: string, recorder: Recorder, logger: Logger, now: () => number) {
    this.zone = zone;
    this.logger = logger;
    this.now = now;
    const counter = (reason: StoreFailure): Counter => recorder.counter(metricNames.cacheStoreErrors, { zone, reason });
    this.counters = {
      full: counter('full'),
      write: counter('write'),
      read: counter('read'),
      corrupt: counter('corrupt'),
      slow: counter('slow'),
    };
  }

  /** Whether the disk is left alone for now. */
  get paused(): boolean {
    return this.now() < this.pausedUntil;
  }

  /** Something could not be written. */
  notWritten(error: NodeJS.ErrnoException): void {
    const failure = fullCodes.has(error.code) ? 'full' : 'write';
    if (!passingCodes.has(error.code)) this.pausedUntil = this.now() + storingPauseMs;
    this.failed(failure, { error, pause: formatDuration(storingPauseMs) });
  }

  failed(failure: StoreFailure, fields: Readonly<Record<string, unknown>> = {}): void {
    this.counters[failure].add(1);
    const now = this.now();
    if (now - (this.loggedAt.get(failure) ?? Number.NEGATIVE_INFINITY) < logIntervalMs) return;
    this.loggedAt.set(failure, now);
    const level = failure === 'slow' || failure === 'corrupt' ? 'warn' : 'error';
    this.logger[level](sentences[failure], { zone: this.zone, ...fields });
  }
}

/** Whether an error of reading says something about the file, and not about this process. */
export function blamesFile(error: NodeJS.ErrnoException): boolean {
  return !passingCodes.has(error.code) && error.code !== 'EACCES' && error.code !== 'EPERM';
}
