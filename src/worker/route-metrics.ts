import { methodLabel } from '../metrics/method-label.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Histogram, Recorder } from '../metrics/recorder.ts';

/** Statuses and their counters, in the order in which they came first: nearly always one or a few. */
interface ByStatus {
  readonly statuses: number[];
  readonly counters: Counter[];
}

/** The metric children of one route, resolved on first use. */
export class RouteMetrics {
  readonly recorder: Recorder;
  readonly duration: Histogram;
  readonly sentBytes: Counter;
  /** The status that a GET got last, and its counter: mostly the same again. */
  private latestStatus = 0;
  private latestCounter: Counter | undefined = undefined;
  readonly receivedBytes: Counter;
  private readonly labels: { readonly site: string; readonly route: string };
  /** For GET. */
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
    if (method !== 'GET') {
      this.counterOf(method, status).add(1);
      return;
    }
    if (status !== this.latestStatus || this.latestCounter === undefined) {
      this.latestCounter = known(this.gets, status) ?? this.counterOf(method, status);
      this.latestStatus = status;
    }
    this.latestCounter.add(1);
  }

  private counterOf(method: string, status: number): Counter {
    const label = methodLabel(method);
    let byStatus = label === 'GET' ? this.gets : this.requests.get(label);
    if (byStatus === undefined) this.requests.set(label, (byStatus = noneYet()));
    let counter = known(byStatus, status);
    if (counter === undefined) {
      const { site, route } = this.labels;
      counter = this.recorder.counter(metricNames.httpRequests, { site, route, method: label, status: String(status) });
      byStatus.statuses.push(status);
      byStatus.counters.push(counter);
    }
    return counter;
  }
}

function noneYet(): ByStatus {
  return { statuses: [], counters: [] };
}

function known({ statuses, counters }: ByStatus, status: number): Counter | undefined {
  for (let index = 0; index < statuses.length; index++) if (statuses[index] === status) return counters[index];
  return undefined;
}
