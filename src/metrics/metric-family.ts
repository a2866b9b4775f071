import type { MetricDefinition } from './definition.ts';
import { maxSeriesPerMetric, overflowLabel, seriesKey } from './series-key.ts';

/** One line of an exposition: `name{labels} value`. */
export interface Sample {
  /** The family's name, or it with `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** One metric in the primary: the sums over all workers, those that are gone included. */
export class MetricFamily {
  readonly definition: MetricDefinition;
  readonly #series = new Map<string, Series>();

  constructor(definition: MetricDefinition) {
    this.definition = definition;
  }

  /** The series with those label values, in the order of the definition; beyond the bound the one labelled `other`. */
  series(labels: readonly string[]): Series {
    const key = seriesKey(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= maxSeriesPerMetric) return this.#overflowSeries();
    const series = new Series(this.definition, labels);
    this.#series.set(key, series);
    return series;
  }

  #overflowSeries(): Series {
    const labels = this.definition.labels.map(() => overflowLabel);
    const key = seriesKey(labels);
    const series = this.#series.get(key) ?? new Series(this.definition, labels);
    this.#series.set(key, series);
    return series;
  }

  /** Drops what a worker said about the present: its gauges. */
  forget(worker: number): void {
    if (this.definition.type !== 'gauge') return;
    for (const series of this.#series.values()) series.gauges.delete(worker);
  }

  samples(): Sample[] {
    const samples: Sample[] = [];
    for (const series of this.#series.values()) series.appendTo(samples);
    return samples;
  }
}

/** One metric with its label values. Only the numbers of its type are used. */
export class Series {
  readonly definition: MetricDefinition;
  readonly labels: readonly string[];
  /** Sum of a counter, or of a histogram's observations. */
  total = 0;
  /** What fell into each bucket of a histogram, +Inf last. */
  readonly buckets: Float64Array;
  /** A gauge's value by worker. */
  readonly gauges = new Map<number, number>();

  constructor(definition: MetricDefinition, labels: readonly string[]) {
    this.definition = definition;
    this.labels = labels;
    this.buckets = new Float64Array(definition.type === 'histogram' ? (definition.buckets?.length ?? 0) + 1 : 0);
  }

  /** What a worker says of a gauge; NaN withdraws it. */
  setGauge(worker: number, value: number): void {
    if (Number.isNaN(value)) this.gauges.delete(worker);
    else this.gauges.set(worker, value);
  }

  appendTo(samples: Sample[]): void {
    const { name, type } = this.definition;
    const labels: Record<string, string> = {};
    for (const [index, label] of this.definition.labels.entries()) labels[label] = this.labels[index] ?? '';
    if (type === 'counter') samples.push({ name, labels, value: this.total });
    else if (type === 'gauge') this.#appendGauge(samples, labels);
    else this.#appendHistogram(samples, labels);
  }

  #appendGauge(samples: Sample[], labels: Record<string, string>): void {
    const { name, aggregation = 'sum' } = this.definition;
    // Without labels 0 is the truth; with labels there is nothing left that the series is about.
    if (this.gauges.size === 0 && (this.labels.length > 0 || aggregation !== 'sum')) return;
    const values = [...this.gauges.values()];
    const sum = values.reduce((before, value) => before + value, 0);
    const value = aggregation === 'max' ? Math.max(...values) : aggregation === 'mean' ? sum / values.length : sum;
    samples.push({ name, labels, value });
  }

  #appendHistogram(samples: Sample[], labels: Record<string, string>): void {
    const { name, buckets: bounds = [] } = this.definition;
    let count = 0;
    for (const [index, fallen] of this.buckets.entries()) {
      count += fallen;
      samples.push({ name: `${name}_bucket`, labels: { ...labels, le: bounds[index] ?? '+Inf' }, value: count });
    }
    samples.push({ name: `${name}_sum`, labels, value: this.total });
    samples.push({ name: `${name}_count`, labels, value: count });
  }
}
