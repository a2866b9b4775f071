/** A metric as declared in `names.ts`. */
export interface MetricDefinition<Label extends string = string> {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram's buckets, without +Inf. */
  readonly buckets?: readonly number[];
  /** How the workers' values of a gauge become one; a sum when left out. */
  readonly aggregation?: 'sum' | 'mean' | 'max';
}
