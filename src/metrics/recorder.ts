import type { MetricDefinition } from './definition.ts';

/**
 * Where the data plane counts. A child (one metric with its label values) is resolved once, at start or on first use of
 * a status, and kept: counting is then an addition to a typed array, without look-up or allocation.
 */
export interface Recorder {
  /** The same child for the same labels, however often it is asked for. */
  counter<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Counter;
  /** Gauges of the workers become one as `aggregation` says; a dead worker's drop out. */
  gauge<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Gauge;
  histogram<L extends string>(definition: MetricDefinition<L>, labels: Readonly<Record<L, string>>): Histogram;
}

export interface Counter {
  add(amount: number): void;
}

export interface Gauge {
  /** NaN withdraws the series until it is set again: for a server that a reload removed. */
  set(value: number): void;
  add(amount: number): void;
}

export interface Histogram {
  observe(value: number): void;
}
