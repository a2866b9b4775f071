/**
 * What a worker counted since its last report: the form in which numbers cross to the primary. Deltas, not totals, so
 * that the primary's sums survive the worker.
 */
export interface MetricDelta {
  /** Children that the primary has not heard of, in the order of their ids; ids count up from 0 in each worker. */
  readonly added: readonly MetricChild[];
  /** `[id, amount, id, amount, …]`: amounts to add to counters; the value itself for gauges, NaN (null in JSON) for a withdrawn one. */
  readonly values: readonly number[];
}

export interface MetricChild {
  readonly id: number;
  readonly name: string;
  /** Label values, in the order of the definition's labels. */
  readonly labels: readonly string[];
  /** For a histogram: which of its numbers; -1 the sum, else the index of a bucket (the last one is +Inf). Buckets count what fell into each, not cumulated. */
  readonly bucket?: number;
}
