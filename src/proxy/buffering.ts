import type { BufferingConfig } from '../config/buffering-defaults.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { SpoolDirectory } from '../spool/spool-directory.ts';
import type { SpoolFailure } from '../spool/spool-file.ts';
import type { ReadBufferPool } from '../static/read-buffer-pool.ts';

/** When a client may come again whose upload there was no room for: slow ones hold theirs for so long. */
const retryAfter = Buffer.from('\r\nRetry-After: 10', 'latin1');

/** What is counted of bodies that are kept, in one direction. */
export class BufferingMetrics {
  readonly memory: Counter;
  readonly spool: Counter;
  readonly backpressure: Counter;

  constructor(recorder: Recorder, direction: 'request' | 'response') {
    this.memory = recorder.counter(metricNames.bufferedBodies, { direction, place: 'memory' });
    this.spool = recorder.counter(metricNames.bufferedBodies, { direction, place: 'spool' });
    this.backpressure = recorder.counter(metricNames.bufferBackpressure, { direction });
  }
}

/** Where the bodies of a worker are kept. */
export interface BufferingResources {
  readonly spool: SpoolDirectory;
  readonly memory: ReadBufferPool;
  readonly requests: BufferingMetrics;
  readonly responses: BufferingMetrics;
}

/** What a route keeps, and where. */
export interface RouteBuffering extends BufferingConfig, BufferingResources {}

/** The answer to a request whose body cannot be kept. */
export function bufferingError(failure: SpoolFailure): PorticoError {
  if (failure.kind === 'full') {
    return new PorticoError('spool_full', 'the body does not fit into the spool any more', { fields: retryAfter });
  }
  return new PorticoError('spool_failed', `the body could not be kept: ${failure.error.message}`, {
    cause: failure.error,
    fields: retryAfter,
  });
}

/** The answer to a request for whose body no memory came free in time. */
export function memoryError(): PorticoError {
  return new PorticoError('spool_full', 'no memory came free to send the body from', { fields: retryAfter });
}
