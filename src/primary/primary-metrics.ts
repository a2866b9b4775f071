import type { RollReason } from '../admin/status-report.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';

/** The numbers that only the primary knows. */
export class PrimaryMetrics {
  private readonly recorder: Recorder;
  private readonly workers: Gauge;
  private readonly restarts: Counter;
  private readonly reloads: Readonly<Record<'success' | 'failure', Counter>>;
  private readonly successful: Gauge;
  private readonly loadedAt: Gauge;

  constructor(recorder: Recorder) {
    this.recorder = recorder;
    this.workers = recorder.gauge(metricNames.workers, {});
    this.restarts = recorder.counter(metricNames.workerRestarts, {});
    this.reloads = {
      success: recorder.counter(metricNames.reloads, { result: 'success' }),
      failure: recorder.counter(metricNames.reloads, { result: 'failure' }),
    };
    this.successful = recorder.gauge(metricNames.reloadSuccessful, {});
    this.loadedAt = recorder.gauge(metricNames.reloadTimestamp, {});
    recorder.gauge(metricNames.startTime, {}).set(performance.timeOrigin / 1000);
  }

  workersServing(count: number): void {
    this.workers.set(count);
  }

  workerRestarted(): void {
    this.restarts.add(1);
  }

  /** The configuration that the program starts with counts as a load that succeeded, but not as a reload. */
  configurationLoaded(atMs: number): void {
    this.successful.set(1);
    this.loadedAt.set(atMs / 1000);
  }

  reloadSucceeded(atMs: number): void {
    this.reloads.success.add(1);
    this.configurationLoaded(atMs);
  }

  /** Workers were replaced by order, all of them or as many as `reason` is about; or could not be. */
  rolled(reason: RollReason, success: boolean): void {
    this.recorder.counter(metricNames.workerRolls, { reason, result: success ? 'success' : 'failure' }).add(1);
  }

  reloadFailed(): void {
    this.reloads.failure.add(1);
    this.successful.set(0);
  }

  running(version: string, engine: string): void {
    this.recorder.gauge(metricNames.buildInfo, { version, node: process.versions.node, engine }).set(1);
  }
}
