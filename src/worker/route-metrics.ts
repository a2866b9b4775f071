import { methodLabel } from '../metrics/method-label.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Histogram, Recorder } from '../metrics/recorder.ts';

type ByStatus = (Counter | undefined)[];

/** The metric children of one route, resolved on first use. */
export class RouteMetrics {
  readonly duration: Histogram;
  readonly sentBytes: Counter;
  readonly receivedBytes: Counter;
  readonly recorder: Recorder;
  private readonly labels: { readonly site: string; readonly route: string };
  /** By status, for GET. Made whole at once: a list with two far places filled becomes a hash table. */
  private readonly gets: ByStatus = noneYet();
  /** Likewise, by other methods. */
  private readonly requests = new Map<string, ByStatus>();

  constructor(recorder: Recorder, site: string, route: string) {
    this.recorder = recorder;
    this.labels = { site, route };
    this.duration = recorder.histogram(metricNames.httpRequestDuration, this.labels);
    this.sentBytes = recorder.counter(metricNames.httpResponseBytes, this.labels);
    this.receivedBytes = recorder.counter(metricNames.httpRequestBytes, this.labels);
  }

  count(method: string, status: number): void {
    const counter = method === 'GET' ? this.gets[status] : undefined;
    (counter ?? this.counterOf(method, status)).add(1);
  }

  private counterOf(method: string, status: number): Counter {
    const label = methodLabel(method);
    let byStatus = label === 'GET' ? this.gets : this.requests.get(label);
    if (byStatus === undefined) this.requests.set(label, (byStatus = noneYet()));
    return (byStatus[status] ??= this.recorder.counter(metricNames.httpRequests, {
      ...this.labels,
      method: label,
      status: String(status),
    }));
  }
}

function noneYet(): ByStatus {
  return Array.from<Counter | undefined>({ length: 600 });
}
