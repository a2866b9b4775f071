import { closeCodeLabel } from '../http/close-code.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';
import type { WebSocketTrace } from '../request/request-context.ts';

/** What is counted of the WebSockets of a route. */
export class WebSocketMetrics {
  readonly open: Gauge;
  readonly messagesIn: Counter;
  readonly messagesOut: Counter;
  readonly bytesIn: Counter;
  readonly bytesOut: Counter;
  private readonly recorder: Recorder;
  private readonly labels: { readonly site: string; readonly route: string };
  private readonly closes = new Map<string, Counter>();

  constructor(recorder: Recorder, site: string, route: string) {
    this.recorder = recorder;
    this.labels = { site, route };
    this.open = recorder.gauge(metricNames.webSockets, this.labels);
    this.messagesIn = recorder.counter(metricNames.webSocketMessages, { ...this.labels, direction: 'in' });
    this.messagesOut = recorder.counter(metricNames.webSocketMessages, { ...this.labels, direction: 'out' });
    this.bytesIn = recorder.counter(metricNames.webSocketBytes, { ...this.labels, direction: 'in' });
    this.bytesOut = recorder.counter(metricNames.webSocketBytes, { ...this.labels, direction: 'out' });
  }

  closed({ closedBy, closeCode }: WebSocketTrace): void {
    const code = closeCodeLabel(closeCode);
    const key = `${closedBy} ${code}`;
    let counter = this.closes.get(key);
    if (counter === undefined) {
      counter = this.recorder.counter(metricNames.webSocketCloses, { ...this.labels, by: closedBy, code });
      this.closes.set(key, counter);
    }
    counter.add(1);
  }
}
