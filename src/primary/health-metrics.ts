import type { Health } from '../health/rise-fall.ts';
import { metricNames } from '../metrics/names.ts';
import type { Gauge, Histogram, Recorder } from '../metrics/recorder.ts';
import type { CheckResult } from './health-probe.ts';

/** What is counted of active checks. */
export class HealthMetrics {
  private readonly recorder: Recorder;
  private readonly waitingChecks: Gauge;
  private readonly durations = new Map<string, Histogram>();

  constructor(recorder: Recorder) {
    this.recorder = recorder;
    this.waitingChecks = recorder.gauge(metricNames.upstreamHealthChecksWaiting, {});
  }

  checked(upstream: string, server: string, result: CheckResult, durationMs: number): void {
    this.recorder.counter(metricNames.upstreamHealthChecks, { upstream, server, result }).add(1);
    let duration = this.durations.get(upstream);
    if (duration === undefined) {
      duration = this.recorder.histogram(metricNames.upstreamHealthCheckDuration, { upstream });
      this.durations.set(upstream, duration);
    }
    duration.observe(durationMs / 1000);
  }

  changed(upstream: string, server: string, to: Health): void {
    this.recorder.counter(metricNames.upstreamHealthChanges, { upstream, server, to }).add(1);
  }

  /** @param health undefined: it is not checked any more */
  state(upstream: string, server: string, health: Health | undefined): void {
    const gauge = this.recorder.gauge(metricNames.upstreamHealthy, { upstream, server });
    gauge.set(health === undefined ? Number.NaN : health === 'up' ? 1 : 0);
  }

  waiting(count: number): void {
    this.waitingChecks.set(count);
  }
}
