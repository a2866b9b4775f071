import { metricNames } from '../metrics/names.ts';
import type { Counter, Histogram, Recorder } from '../metrics/recorder.ts';

/** What is counted of an upstream as a whole. */
export class UpstreamMetrics {
  readonly retries: Counter;
  readonly connect: Histogram;
  readonly firstByte: Histogram;

  constructor(recorder: Recorder, upstream: string) {
    const labels = { upstream };
    this.retries = recorder.counter(metricNames.upstreamRetries, labels);
    this.connect = recorder.histogram(metricNames.upstreamConnect, labels);
    this.firstByte = recorder.histogram(metricNames.upstreamFirstByte, labels);
  }
}
