import type { Recorder } from '../metrics/recorder.ts';
import { CacheMetrics } from './cache-metrics.ts';
import type { FetchLocks } from './collapse/fetch-locks.ts';
import { ZoneFetches } from './collapse/zone-fetches.ts';
import type { PurgeClient } from './purge-client.ts';
import type { ResponseStore } from './response-store.ts';

/** One zone in this worker: where responses are, and who fetches what. Lives on over reloads. */
export class CacheZone {
  readonly name: string;
  readonly store: ResponseStore;
  readonly metrics: CacheMetrics;
  readonly fetches: ZoneFetches;
  private readonly purges: PurgeClient;

  constructor(name: string, store: ResponseStore, locks: FetchLocks, purges: PurgeClient, recorder: Recorder) {
    this.name = name;
    this.store = store;
    this.purges = purges;
    this.metrics = new CacheMetrics(recorder, name);
    this.fetches = new ZoneFetches(locks);
  }

  /** What an unsafe method has changed goes, in every worker. @param host, path and query as in the key */
  invalidate(host: string, path: string, query: string | undefined): void {
    const what = { kind: 'url', host, path, query: query ?? '' } as const;
    this.purges.invalidate([{ zone: this.name, what, soft: false }]);
  }

  close(): void {
    this.fetches.close();
  }
}
