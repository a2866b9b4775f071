import type { MetricDefinition } from './definition.ts';

/** Most label combinations of one metric; what comes later is counted under `other`, so that memory stays bounded. */
export const maxSeriesPerMetric = 10_000;

/** The value of every label of the series that takes what is beyond the bound. */
export const overflowLabel = 'other';

/** Label values as one text, for a map. Lengths keep `a`,`bc` and `ab`,`c` apart, whatever is in the values. */
export function seriesKey(values: readonly string[]): string {
  let key = '';
  for (const value of values) key += `${value.length}:${value}`;
  return key;
}

/** Label values in the order of the definition. */
export function labelValues<L extends string>(
  definition: MetricDefinition<L>,
  labels: Readonly<Record<L, string>>,
): string[] {
  return definition.labels.map((label) => labels[label]);
}
