import type { MetricDefinition } from '../../src/metrics/definition.ts';
import type { Counter, Gauge, Histogram, Recorder } from '../../src/metrics/recorder.ts';

/** Keeps every number by metric name and labels, for a test to read. */
export class FakeRecorder implements Recorder {
  readonly #values = new Map<string, number>();

  /** A counter's or gauge's value, a histogram's count; 0 when nothing was recorded. */
  value(definition: MetricDefinition, labels: Readonly<Record<string, string>> = {}): number {
    return this.#values.get(childKey(definition, labels)) ?? 0;
  }

  counter<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Counter {
    return { add: (amount) => this.#add(childKey(definition, labels), amount) };
  }

  gauge<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Gauge {
    const key = childKey(definition, labels);
    return { add: (amount) => this.#add(key, amount), set: (value) => void this.#values.set(key, value) };
  }

  histogram<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Histogram {
    return { observe: () => this.#add(childKey(definition, labels), 1) };
  }

  #add(key: string, amount: number): void {
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }
}

function childKey(definition: MetricDefinition, labels: Readonly<Record<string, string>>): string {
  return `${definition.name} ${definition.labels.map((label) => labels[label]).join(' ')}`;
}
