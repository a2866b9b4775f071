import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Histogram, Recorder } from '../metrics/recorder.ts';

/** What is counted of one server. Its children are resolved at start, or on the first use of a status or code. */
export class ServerMetrics {
  readonly duration: Histogram;
  readonly active: Gauge;
  readonly idle: Gauge;
  readonly up: Gauge;
  readonly weight: Gauge;
  private readonly recorder: Recorder;
  private readonly labels: { readonly upstream: string; readonly server: string };
  /** By status. Made whole at once: a list with two far places filled becomes a hash table. */
  private readonly responses: (Counter | undefined)[] = Array.from<Counter | undefined>({ length: 601 });
  private readonly failures = new Map<string, Counter>();

  constructor(recorder: Recorder, upstream: string, server: string) {
    this.recorder = recorder;
    this.labels = { upstream, server };
    this.duration = recorder.histogram(metricNames.upstreamRequestDuration, this.labels);
    this.active = recorder.gauge(metricNames.upstreamActive, this.labels);
    this.idle = recorder.gauge(metricNames.upstreamIdleConnections, this.labels);
    this.up = recorder.gauge(metricNames.upstreamUp, this.labels);
    this.weight = recorder.gauge(metricNames.upstreamWeight, this.labels);
  }

  response(status: number): void {
    // A server that makes up statuses must not make up series.
    const known = status < 600 ? status : 600;
    const counter = (this.responses[known] ??= this.recorder.counter(metricNames.upstreamRequests, {
      ...this.labels,
      status: known === 600 ? 'other' : String(known),
    }));
    counter.add(1);
  }

  /** @param code an error code, or `client_gone` */
  failure(code: string): void {
    let counter = this.failures.get(code);
    if (counter === undefined) {
      counter = this.recorder.counter(metricNames.upstreamFailures, { ...this.labels, code });
      this.failures.set(code, counter);
    }
    counter.add(1);
  }

  /** Takes the gauges of a server that is no more out of what is shown. */
  withdraw(): void {
    this.active.set(Number.NaN);
    this.idle.set(Number.NaN);
    this.up.set(Number.NaN);
    this.weight.set(Number.NaN);
  }
}
