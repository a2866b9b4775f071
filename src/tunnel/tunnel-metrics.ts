import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';
import type { TunnelTrace } from '../request/request-context.ts';

/** What is counted of the tunnels of a route. */
export class TunnelMetrics {
  readonly open: Gauge;
  readonly bytesIn: Counter;
  readonly bytesOut: Counter;
  private readonly recorder: Recorder;
  private readonly labels: { readonly site: string; readonly route: string };

  constructor(recorder: Recorder, site: string, route: string) {
    this.recorder = recorder;
    this.labels = { site, route };
    this.open = recorder.gauge(metricNames.tunnels, this.labels);
    this.bytesIn = recorder.counter(metricNames.tunnelBytes, { ...this.labels, direction: 'in' });
    this.bytesOut = recorder.counter(metricNames.tunnelBytes, { ...this.labels, direction: 'out' });
  }

  closed({ closedBy, closeReason }: TunnelTrace): void {
    this.recorder.counter(metricNames.tunnelCloses, { ...this.labels, by: closedBy, reason: closeReason }).add(1);
  }
}
