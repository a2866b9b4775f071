import { EventLoopLag } from './event-loop-lag.ts';
import { metricNames } from './names.ts';
import type { Counter, Gauge, Recorder } from './recorder.ts';

/** What a worker process is doing to its machine: event loop lag, memory, CPU time. */
export class WorkerVitals {
  readonly #eventLoop = new EventLoopLag();
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
  }

  /** Takes the values; call it right before each report. */
  sample(): void {
    this.#lag.set(this.#eventLoop.take());
    this.#memory.set(process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    this.#cpu.add(cpuSeconds - this.#cpuSeconds);
    this.#cpuSeconds = cpuSeconds;
  }

  close(): void {
    this.#eventLoop.close();
  }
}
