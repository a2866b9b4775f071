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

export function counter<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'counter', help, labels };
}

export function gauge<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels };
}

export function meanGauge<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels, aggregation: 'mean' };
}

export function maxGauge<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels, aggregation: 'max' };
}

export function histogram<L extends string>(
  name: string,
  help: string,
  buckets: readonly number[],
  ...labels: L[]
): MetricDefinition<L> {
  return { name, type: 'histogram', help, labels, buckets };
}
