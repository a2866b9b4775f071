import type { MetricDefinition } from '../metrics/definition.ts';
import type { Sample } from '../metrics/metric-family.ts';
import { metricNames } from '../metrics/names.ts';

/** A zone as it is configured. */
export interface ZoneInput {
  readonly name: string;
  readonly directory: string | undefined;
  readonly diskSize: number;
  readonly memorySize: number;
}

/** What /status shows of a zone. Requests since the program started. */
export interface ZoneReport {
  readonly name: string;
  /** Null for a zone in memory only. */
  readonly directory: string | null;
  readonly disk: StoreReport;
  /** Of all workers together. */
  readonly memory: StoreReport;
  /** Share of the requests that were answered without waiting for the upstream; null before the first. */
  readonly hitRatio: number | null;
  readonly requests: Readonly<Record<string, number>>;
  readonly storeErrors: number;
  /** Orders to purge that are kept because what they concern may be on disk. */
  readonly purgesPending: number;
}

interface StoreReport {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly entries: number;
}

const results = ['hit', 'stale', 'revalidated', 'expired', 'miss', 'bypass'];

/**
 * The zones of the cache for /status.
 * @param samplesOf every series of a metric
 */
export function cacheReport(
  zones: readonly ZoneInput[],
  workers: number,
  samplesOf: (definition: MetricDefinition) => readonly Sample[],
): ZoneReport[] {
  return zones.map(({ name: zone, directory, diskSize, memorySize }) => {
    const sum = (definition: MetricDefinition, labels: Readonly<Record<string, string>> = {}): number =>
      sumOf(samplesOf(definition), { zone, ...labels });
    const store = (name: 'disk' | 'memory', maxBytes: number): StoreReport => ({
      bytes: sum(metricNames.cacheBytes, { store: name }),
      maxBytes,
      entries: sum(metricNames.cacheEntries, { store: name }),
    });
    const requests = Object.fromEntries(results.map((result) => [result, sum(metricNames.cacheRequests, { result })]));
    const { hit = 0, stale = 0, bypass = 0 } = requests;
    const judged = Object.values(requests).reduce((total, count) => total + count, 0) - bypass;
    return {
      name: zone,
      directory: directory ?? null,
      disk: store('disk', directory === undefined ? 0 : diskSize),
      memory: store('memory', memorySize * workers),
      hitRatio: judged === 0 ? null : Math.round(((hit + stale) / judged) * 10_000) / 10_000,
      requests,
      storeErrors: sum(metricNames.cacheStoreErrors),
      purgesPending: sum(metricNames.cachePurgesPending),
    };
  });
}

function sumOf(samples: readonly Sample[], labels: Readonly<Record<string, string>>): number {
  return samples
    .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, { value }) => sum + (Number.isNaN(value) ? 0 : value), 0);
}
