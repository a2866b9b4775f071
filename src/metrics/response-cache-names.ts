import { counter, gauge, type MetricDefinition } from './definition.ts';

/** What the response cache counts; part of `metricNames`. */
export const responseCacheMetrics = {
  cacheRequests: counter(
    'portico_cache_requests_total',
    'Requests to routes with a cache, by what became of them: hit; stale (answered with what had expired); revalidated (the upstream said that it is unchanged), expired (it had something new); miss; bypass.',
    'zone',
    'result',
  ),
  cacheHits: counter('portico_cache_hits_total', 'Hits by where the response was: memory, disk.', 'zone', 'source'),
  cacheCollapsed: counter(
    'portico_cache_collapsed_total',
    'Requests that were answered by the response to another one for the same, which went upstream alone.',
    'zone',
  ),
  cacheStored: counter('portico_cache_stored_total', 'Responses stored.', 'zone'),
  cacheEvicted: counter(
    'portico_cache_evicted_total',
    'Responses removed, by reason: size (the bound of the zone), inactive (not used for long), purged.',
    'zone',
    'reason',
  ),
  cachePurges: counter(
    'portico_cache_purges_total',
    'Orders to purge, by what they name: url, prefix, host, tag, everything.',
    'zone',
    'kind',
  ),
  cachePurgesPending: gauge(
    'portico_cache_purges_pending',
    'Orders to purge that are kept because what they concern may still be on disk.',
    'zone',
  ),
  cacheStoreErrors: counter(
    'portico_cache_store_errors_total',
    'What went wrong with stored responses, by reason: full, write, read, corrupt, slow. Requests are answered all the same.',
    'zone',
    'reason',
  ),
  cacheBytes: gauge(
    'portico_cache_bytes',
    'Bytes of stored responses, by store: memory (all workers together), disk.',
    'zone',
    'store',
  ),
  cacheEntries: gauge('portico_cache_entries', 'Stored responses, by store: memory, disk.', 'zone', 'store'),
  cacheMaxBytes: gauge(
    'portico_cache_max_bytes',
    'Most that a zone may hold, by store: memory, disk.',
    'zone',
    'store',
  ),
} as const satisfies Record<string, MetricDefinition>;
