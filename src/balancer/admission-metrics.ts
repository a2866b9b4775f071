import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Histogram, Recorder } from '../metrics/recorder.ts';
import type { CircuitState } from './circuit-breaker.ts';

/** Why a request got no server. */
export type RejectReason =
  | 'queue_full'
  | 'queue_timeout'
  | 'hold_full'
  | 'hold_timeout'
  | 'circuit_open'
  | 'maintenance'
  | 'no_server';

const circuitValues: Readonly<Record<CircuitState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** What is counted at the gate of an upstream. */
export class AdmissionMetrics {
  readonly queued: Gauge;
  readonly held: Gauge;
  readonly waited: Histogram;
  readonly retriesDenied: Counter;
  private readonly recorder: Recorder;
  private readonly upstream: string;
  private readonly rejections = new Map<RejectReason, Counter>();

  constructor(recorder: Recorder, upstream: string) {
    const labels = { upstream };
    this.recorder = recorder;
    this.upstream = upstream;
    this.queued = recorder.gauge(metricNames.upstreamQueued, labels);
    this.held = recorder.gauge(metricNames.upstreamHeld, labels);
    this.waited = recorder.histogram(metricNames.upstreamQueueTime, labels);
    this.retriesDenied = recorder.counter(metricNames.upstreamRetriesDenied, labels);
  }

  rejected(reason: RejectReason): void {
    let counter = this.rejections.get(reason);
    if (counter === undefined) {
      counter = this.recorder.counter(metricNames.upstreamRejected, { upstream: this.upstream, reason });
      this.rejections.set(reason, counter);
    }
    counter.add(1);
  }

  /** @param state undefined when there is no circuit breaker any more */
  circuit(state: CircuitState | undefined): void {
    const labels = { upstream: this.upstream };
    const value = state === undefined ? Number.NaN : circuitValues[state];
    this.recorder.gauge(metricNames.upstreamCircuit, labels).set(value);
    if (state === 'open') this.recorder.counter(metricNames.upstreamCircuitOpened, labels).add(1);
  }

  leases(server: string): Gauge {
    return this.recorder.gauge(metricNames.upstreamLeases, { upstream: this.upstream, server });
  }
}
