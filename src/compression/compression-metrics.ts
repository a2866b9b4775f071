import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { Coding } from './coding.ts';

/** How a compressed response came about: while it was sent, or once for many. */
export type CompressionWay = 'stream' | 'stored';

/** Why a response that could have been compressed was not, although the client would have taken it. */
export type SkipReason = 'cookies' | 'no_transform' | 'range' | 'busy';

/** What compression counts. */
export class CompressionMetrics {
  private readonly recorder: Recorder;
  private readonly responses = {
    stream: new Map<Coding, ResponseCounters>(),
    stored: new Map<Coding, ResponseCounters>(),
  };
  private readonly skips = new Map<SkipReason, Counter>();

  constructor(recorder: Recorder) {
    this.recorder = recorder;
  }

  /** @param bytesIn of the body before, and `bytesOut` after */
  compressed(coding: Coding, way: CompressionWay, bytesIn: number, bytesOut: number): void {
    countResponse(this.countersOf(coding, way), bytesIn, bytesOut);
  }

  /** For `countResponse`, where looking them up each time is too much. */
  countersOf(coding: Coding, way: CompressionWay): ResponseCounters {
    const known = this.responses[way];
    let counters = known.get(coding);
    if (counters === undefined) {
      const labels = { coding, way };
      counters = {
        responses: this.recorder.counter(metricNames.compressedResponses, labels),
        bytesIn: this.recorder.counter(metricNames.compressionBytesIn, labels),
        bytesOut: this.recorder.counter(metricNames.compressionBytesOut, labels),
      };
      known.set(coding, counters);
    }
    return counters;
  }

  skipped(reason: SkipReason): void {
    let counter = this.skips.get(reason);
    if (counter === undefined) {
      counter = this.recorder.counter(metricNames.compressionSkipped, { reason });
      this.skips.set(reason, counter);
    }
    counter.add(1);
  }
}

/** What is counted of the responses of one coding and way. */
export interface ResponseCounters {
  readonly responses: Counter;
  readonly bytesIn: Counter;
  readonly bytesOut: Counter;
}

/** @param bytesIn of the body before, and `bytesOut` after */
export function countResponse(counters: ResponseCounters, bytesIn: number, bytesOut: number): void {
  counters.responses.add(1);
  counters.bytesIn.add(bytesIn);
  counters.bytesOut.add(bytesOut);
}
