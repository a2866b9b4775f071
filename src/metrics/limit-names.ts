import { counter, gauge, type MetricDefinition } from './definition.ts';

/** What limits and access control count, and the connections that they are about; part of `metricNames`. */
export const limitMetrics = {
  rateLimitRequests: counter(
    'portico_rate_limit_requests_total',
    'Requests by what a `rateLimits` zone made of them: `passed`, `refused`, `dry_run` (would have been refused), `exempt`.',
    'zone',
    'result',
  ),
  rateLimitKeysDisplaced: counter(
    'portico_rate_limit_keys_displaced_total',
    'Keys of a `rateLimits` zone that found its memory full of keys in debt and had to take over the debt of one.',
    'zone',
  ),
  concurrencyLimitRequests: counter(
    'portico_concurrency_limit_requests_total',
    'Requests by what a `concurrencyLimits` zone made of them: `passed`, `refused`, `dry_run` (would have been refused), `exempt`.',
    'zone',
    'result',
  ),
  accessRefused: counter(
    'portico_access_refused_total',
    'Requests that the `access` of a route did not let pass (docs/access.md), by reason.',
    'site',
    'route',
    'reason',
  ),
  rateLimitRedisUp: gauge(
    'portico_rate_limit_redis_up',
    'Whether limits are shared in Redis (1), or hold for this machine alone because it is away (0).',
  ),
  rateLimitRedisBatches: counter(
    'portico_rate_limit_redis_batches_total',
    'Batches of counts sent to Redis, by result: `success`, `failure`.',
    'result',
  ),
  connectionsRefused: counter(
    'portico_connections_refused_total',
    'Client connections closed at once: `connections` or `address` over a limit, `descriptors` or `memory` running low.',
    'reason',
  ),
  connectionsCut: counter(
    'portico_connections_cut_total',
    'Client connections or HTTP/2 streams cut: `head_timeout` (the head of a request did not come in time), `send_timeout` (nothing was taken), `send_rate` (`limits.minSendRate`), `request_time` (`timeouts.request`), `http2_flood` (`limits.http2Resets`), `http2_error` (the rules of HTTP/2 were broken).',
    'reason',
  ),
  connections: gauge('portico_connections_open', 'Client connections open.'),
} as const satisfies Record<string, MetricDefinition>;
