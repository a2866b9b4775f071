import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { metricNames } from './names.ts';
import type { Counter, Gauge, Recorder } from './recorder.ts';

const resolutionMs = 20;

/** What a worker process is doing to its machine: event loop lag, memory, CPU time. */
export class WorkerVitals {
  readonly #delay: IntervalHistogram;
  readonly #lag: Gauge;
  readonly #memory: Gauge;
  readonly #cpu: Counter;
  #cpuSeconds = 0;

  /** @param workerLabel the slot, not the process id: a replaced worker continues its series */
  constructor(recorder: Recorder, workerLabel: string) {
    const labels = { worker: workerLabel };
    this.#lag = recorder.gauge(metricNames.workerEventLoopLag, labels);
    this.#memory = recorder.gauge(metricNames.workerMemory, labels);
    this.#cpu = recorder.counter(metricNames.workerCpu, labels);
    this.#delay = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#delay.enable();
  }

  /** Takes the values; call it right before each report. */
  sample(): void {
    const { max } = this.#delay;
    // The histogram holds the time between two ticks of a timer, the wanted delay included; without a tick it says 0.
    this.#lag.set(Math.max(0, max / 1e9 - resolutionMs / 1000));
    this.#delay.reset();
    this.#memory.set(process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    this.#cpu.add(cpuSeconds - this.#cpuSeconds);
    this.#cpuSeconds = cpuSeconds;
  }

  close(): void {
    this.#delay.disable();
  }
}
