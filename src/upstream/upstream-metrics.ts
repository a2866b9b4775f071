import { metricNames } from '../metrics/names.ts';
import type { Counter, Histogram, Recorder } from '../metrics/recorder.ts';
import type { HandshakeFault } from './handshake-error.ts';
import type { HandshakeCounts } from './server-tls.ts';

/** What is counted of an upstream as a whole. */
export class UpstreamMetrics implements HandshakeCounts {
  readonly retries: Counter;
  readonly connect: Histogram;
  readonly firstByte: Histogram;
  private readonly recorder: Recorder;
  private readonly upstream: string;
  private readonly sessions = new Map<string, Counter>();

  constructor(recorder: Recorder, upstream: string) {
    const labels = { upstream };
    this.recorder = recorder;
    this.upstream = upstream;
    this.retries = recorder.counter(metricNames.upstreamRetries, labels);
    this.connect = recorder.histogram(metricNames.upstreamConnect, labels);
    this.firstByte = recorder.histogram(metricNames.upstreamFirstByte, labels);
  }

  /** A name was looked up. */
  resolved(error: Error | undefined): void {
    const result = error === undefined ? 'success' : 'failed';
    this.recorder.counter(metricNames.upstreamResolutions, { upstream: this.upstream, result }).add(1);
  }

  handshake(version: string, resumed: boolean, seconds: number): void {
    const { recorder, upstream } = this;
    recorder.histogram(metricNames.upstreamTlsHandshake, { upstream }).observe(seconds);
    const labels = { upstream, version, resumed: resumed ? 'yes' : 'no' };
    recorder.counter(metricNames.upstreamTlsHandshakes, labels).add(1);
  }

  handshakeFailed(server: string, reason: HandshakeFault): void {
    const labels = { upstream: this.upstream, server, reason };
    this.recorder.counter(metricNames.upstreamTlsHandshakesFailed, labels).add(1);
  }

  /** What became of a request with a sticky session. */
  session(result: 'kept' | 'assigned' | 'moved'): void {
    let counter = this.sessions.get(result);
    if (counter === undefined) {
      counter = this.recorder.counter(metricNames.upstreamSessions, { upstream: this.upstream, result });
      this.sessions.set(result, counter);
    }
    counter.add(1);
  }
}
