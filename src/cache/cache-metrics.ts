import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { CacheResult } from '../request/request-context.ts';

/** What is counted of the requests of one zone; resolved once. */
export class CacheMetrics {
  readonly collapsed: Counter;
  /** Hits by where the response was. */
  readonly memory: Counter;
  readonly disk: Counter;
  /** Storing given up because the disk did not follow. */
  readonly slow: Counter;
  private readonly results: Readonly<Record<CacheResult, Counter>>;

  constructor(recorder: Recorder, zone: string) {
    const result = (name: CacheResult): Counter => recorder.counter(metricNames.cacheRequests, { zone, result: name });
    this.results = {
      hit: result('hit'),
      stale: result('stale'),
      revalidated: result('revalidated'),
      expired: result('expired'),
      miss: result('miss'),
      bypass: result('bypass'),
    };
    this.collapsed = recorder.counter(metricNames.cacheCollapsed, { zone });
    this.memory = recorder.counter(metricNames.cacheHits, { zone, source: 'memory' });
    this.disk = recorder.counter(metricNames.cacheHits, { zone, source: 'disk' });
    this.slow = recorder.counter(metricNames.cacheStoreErrors, { zone, reason: 'slow' });
  }

  count(result: CacheResult): void {
    this.results[result].add(1);
  }
}
