import type { MetricDefinition } from './definition.ts';
import type { MetricChild, MetricDelta } from './delta.ts';
import type { Counter, Gauge, Histogram, Recorder } from './recorder.ts';
import { labelValues, maxSeriesPerMetric, overflowLabel, seriesKey } from './series-key.ts';
import { SlotStore } from './slot-store.ts';

export interface WorkerRecorderOptions {
  /** Most label combinations of one metric; the primary logs when one reaches it. */
  readonly maxSeries?: number;
}

type Child = Counter & Gauge & Histogram;

interface Family {
  readonly children: Map<string, Child>;
  overflow: Child | undefined;
}

/** Counts in plain numbers, without look-up or allocation, and gives away what changed at each `collect`. */
export class WorkerRecorder implements Recorder {
  readonly #slots = new SlotStore();
  readonly #families = new Map<string, Family>();
  readonly #bounds = new Map<string, Float64Array>();
  readonly #maxSeries: number;
  #added: MetricChild[] = [];

  constructor(options: WorkerRecorderOptions = {}) {
    this.#maxSeries = options.maxSeries ?? maxSeriesPerMetric;
  }

  counter<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Counter {
    return this.#resolve(definition, labels);
  }

  gauge<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Gauge {
    return this.#resolve(definition, labels);
  }

  histogram<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Histogram {
    return this.#resolve(definition, labels);
  }

  /** What was counted since the last call. It is gone from here afterwards: whoever takes it must deliver it. */
  collect(): MetricDelta {
    const added = this.#added;
    this.#added = [];
    return { added, values: this.#slots.drain() };
  }

  #resolve<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Child {
    let family = this.#families.get(definition.name);
    if (family === undefined) {
      family = { children: new Map(), overflow: undefined };
      this.#families.set(definition.name, family);
    }
    const values = labelValues(definition, labels);
    const key = seriesKey(values);
    const known = family.children.get(key);
    if (known !== undefined) return known;
    if (family.children.size < this.#maxSeries) {
      const child = this.#create(definition, values);
      family.children.set(key, child);
      return child;
    }
    family.overflow ??= this.#create(
      definition,
      values.map(() => overflowLabel),
    );
    return family.overflow;
  }

  /** One array for all children of a metric: each of its own would be one more thing that is in no cache of the processor. */
  #boundsOf(definition: MetricDefinition): Float64Array {
    let bounds = this.#bounds.get(definition.name);
    if (bounds === undefined) {
      bounds = Float64Array.from(definition.buckets ?? []);
      this.#bounds.set(definition.name, bounds);
    }
    return bounds;
  }

  #create(definition: MetricDefinition, labels: readonly string[]): Child {
    const { name } = definition;
    if (definition.type !== 'histogram') {
      const slot = this.#slots.take(1, definition.type === 'gauge');
      this.#added.push({ id: slot, name, labels });
      return new SlotChild(this.#slots, slot, noBounds);
    }
    const bounds = this.#boundsOf(definition);
    const first = this.#slots.take(bounds.length + 2, false);
    for (let bucket = -1; bucket <= bounds.length; bucket += 1) {
      this.#added.push({ id: first + bucket + 1, name, labels, bucket });
    }
    return new SlotChild(this.#slots, first, bounds);
  }
}

const noBounds = new Float64Array(0);

/** One class for the three kinds, so that a call site that counts sees one hidden class only. */
class SlotChild implements Child {
  readonly #slots: SlotStore;
  /** The number itself; for a histogram the sum, followed by its buckets. */
  readonly #slot: number;
  readonly #bounds: Float64Array;

  constructor(slots: SlotStore, slot: number, bounds: Float64Array) {
    this.#slots = slots;
    this.#slot = slot;
    this.#bounds = bounds;
  }

  add(amount: number): void {
    const { values } = this.#slots;
    const value = values[this.#slot] as number;
    // A withdrawn gauge (NaN) starts from 0 again.
    // oxlint-disable-next-line no-self-compare
    values[this.#slot] = value === value ? value + amount : amount;
  }

  set(value: number): void {
    this.#slots.values[this.#slot] = value;
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    // Bounds are some dozen, and most observations are small: a scan beats a binary search.
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    const { values } = this.#slots;
    values[this.#slot] = (values[this.#slot] as number) + value;
    const count = this.#slot + 1 + bucket;
    values[count] = (values[count] as number) + 1;
  }
}
