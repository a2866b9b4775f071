import type { MetricDefinition } from './definition.ts';

function counter<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'counter', help, labels };
}

function gauge<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels };
}

function meanGauge<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels, aggregation: 'mean' };
}

function maxGauge<L extends string>(name: string, help: string, ...labels: L[]): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels, aggregation: 'max' };
}

function histogram<L extends string>(
  name: string,
  help: string,
  buckets: readonly number[],
  ...labels: L[]
): MetricDefinition<L> {
  return { name, type: 'histogram', help, labels, buckets };
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const shortSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Every metric that Portico exposes; docs/metrics.md is tested against it. Labels are bounded: never a path, address or raw Host. */
export const metricNames = {
  httpRequests: counter(
    'portico_http_requests_total',
    'Requests answered, or ended by the client (status 499).',
    'site',
    'route',
    'method',
    'status',
  ),
  httpRequestDuration: histogram(
    'portico_http_request_duration_seconds',
    'Time from the request head to the end of the response.',
    seconds,
    'site',
    'route',
  ),
  httpRequestsInFlight: gauge('portico_http_requests_in_flight', 'Requests being worked on.'),
  httpRequestBytes: counter(
    'portico_http_request_body_bytes_total',
    'Bytes of request bodies received.',
    'site',
    'route',
  ),
  httpResponseBytes: counter(
    'portico_http_response_body_bytes_total',
    'Bytes of response bodies sent.',
    'site',
    'route',
  ),
  httpResponsesPaced: gauge(
    'portico_http_responses_paced',
    'Responses that wait because of a rate limit: `limitRate`, X-Accel-Limit-Rate.',
  ),
  httpErrors: counter(
    'portico_http_errors_total',
    'Errors that Portico answered or ended a connection with, by code (docs/errors.md).',
    'code',
  ),
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
  connections: gauge('portico_connections_open', 'Client connections open.'),
  tlsHandshakes: counter(
    'portico_tls_handshakes_total',
    'TLS handshakes with clients, by version (1.2, 1.3) and whether a former session was resumed (yes, no).',
    'version',
    'resumed',
  ),
  tlsHandshakesFailed: counter(
    'portico_tls_handshakes_failed_total',
    'TLS handshakes that failed, by reason: closed, timeout, version, cipher, alpn, unknown_name, no_tls (something else was spoken), refused_by_client (by an alert), client_certificate, protocol.',
    'reason',
  ),
  tlsCertificateNotAfter: gauge(
    'portico_tls_certificate_not_after_timestamp_seconds',
    'When a certificate expires, Unix time; by its names (the first three) and kind of key. Of several for the same names the one that expires first.',
    'names',
    'key',
  ),
  webSockets: gauge('portico_websockets_open', 'WebSockets open.', 'site', 'route'),
  webSocketMessages: counter(
    'portico_websocket_messages_total',
    'WebSocket messages passed on, by direction: `in` from clients, `out` to clients.',
    'site',
    'route',
    'direction',
  ),
  webSocketBytes: counter(
    'portico_websocket_message_bytes_total',
    'Bytes of WebSocket messages passed on, by direction: `in` from clients, `out` to clients.',
    'site',
    'route',
    'direction',
  ),
  webSocketCloses: counter(
    'portico_websocket_closes_total',
    'WebSockets that have ended, by who ended them (`client`, `upstream`, `portico`) and close code (`3xxx` and `4xxx` taken together, `none` without one, `lost` without a close frame).',
    'site',
    'route',
    'by',
    'code',
  ),
  upstreamRequests: counter(
    'portico_upstream_requests_total',
    'Responses received from upstream servers.',
    'upstream',
    'server',
    'status',
  ),
  upstreamFailures: counter(
    'portico_upstream_failures_total',
    'Tries that brought no whole response, by error code.',
    'upstream',
    'server',
    'code',
  ),
  upstreamRetries: counter(
    'portico_upstream_retries_total',
    'Requests sent again to the same or the next server.',
    'upstream',
  ),
  upstreamDirectives: counter(
    'portico_upstream_directives_total',
    'Directives in responses of the application (X-Accel-Redirect, X-Sendfile …), by whether the upstream is trusted with them: obeyed, ignored.',
    'upstream',
    'directive',
    'result',
  ),
  upstreamErrorsIntercepted: counter(
    'portico_upstream_errors_intercepted_total',
    'Error responses of the application in whose place a page of the site was sent.',
    'upstream',
  ),
  bufferedBodies: counter(
    'portico_buffered_bodies_total',
    'Bodies kept, by direction (request, response) and place (memory; spool: at least a part of it in a file).',
    'direction',
    'place',
  ),
  bufferBackpressure: counter(
    'portico_buffer_backpressure_total',
    'How often a buffer was full and its source had to wait, by direction: request (the client), response (the server).',
    'direction',
  ),
  bufferMemory: gauge('portico_buffer_memory_bytes', 'Memory held for bodies of requests and responses.'),
  spoolBytes: gauge('portico_spool_bytes', 'Bytes of bodies in files.'),
  spoolFiles: gauge('portico_spool_files', 'Bodies of which at least a part is in a file.'),
  spoolFailures: counter(
    'portico_spool_failures_total',
    'Writes and reads of bodies in files that failed, by reason: full (`spool.size`), failed (the disk).',
    'reason',
  ),
  upstreamQueued: gauge(
    'portico_upstream_queued_requests',
    'Requests that wait because every server has as many as it may have (`maxConnections`).',
    'upstream',
  ),
  upstreamHeld: gauge(
    'portico_upstream_held_requests',
    'Requests that wait because no server is up (`waitForUpstream`).',
    'upstream',
  ),
  upstreamQueueTime: histogram(
    'portico_upstream_queue_seconds',
    'Time that requests waited for a server, those that did not wait left out.',
    seconds,
    'upstream',
  ),
  upstreamRejected: counter(
    'portico_upstream_rejected_total',
    'Requests that got no server, by reason: queue_full, queue_timeout, hold_full, hold_timeout, circuit_open, maintenance, no_server.',
    'upstream',
    'reason',
  ),
  upstreamRetriesDenied: counter(
    'portico_upstream_retries_denied_total',
    'Requests that were not sent again because the retry budget was used up.',
    'upstream',
  ),
  upstreamCircuit: maxGauge(
    'portico_upstream_circuit_state',
    'State of the circuit breaker: 0 closed, 1 half-open, 2 open; of the worker where it is highest.',
    'upstream',
  ),
  upstreamCircuitOpened: counter('portico_upstream_circuit_opened_total', 'Times that a circuit opened.', 'upstream'),
  upstreamLeases: gauge(
    'portico_upstream_leases',
    'Part of the `maxConnections` of a server that the workers hold, in use or not.',
    'upstream',
    'server',
  ),
  upstreamRequestDuration: histogram(
    'portico_upstream_request_duration_seconds',
    'Time from sending a request to the last byte of its response.',
    seconds,
    'upstream',
    'server',
  ),
  upstreamConnect: histogram(
    'portico_upstream_connect_seconds',
    'Time to open a connection.',
    shortSeconds,
    'upstream',
  ),
  upstreamFirstByte: histogram(
    'portico_upstream_first_byte_seconds',
    'Time from sending a request to the complete head of its response.',
    seconds,
    'upstream',
  ),
  upstreamActive: gauge(
    'portico_upstream_active_requests',
    'Requests being worked on by a server.',
    'upstream',
    'server',
  ),
  upstreamIdleConnections: gauge(
    'portico_upstream_idle_connections',
    'Idle connections kept to a server.',
    'upstream',
    'server',
  ),
  upstreamUp: meanGauge(
    'portico_upstream_up',
    'Whether a server takes requests: the share of the workers for which it is neither down by its checks, nor ejected, nor backed off, nor in maintenance, 0 to 1.',
    'upstream',
    'server',
  ),
  upstreamWeight: meanGauge(
    'portico_upstream_weight',
    'The weight that a server has for now, as a mean over the workers: less than configured while it starts slowly.',
    'upstream',
    'server',
  ),
  upstreamSessions: counter(
    'portico_upstream_sessions_total',
    'Requests with sticky sessions, by what became of them: kept (went to the server of their cookie), assigned (got a cookie), moved (got another cookie, because their server does not take requests).',
    'upstream',
    'result',
  ),
  upstreamResolutions: counter(
    'portico_upstream_resolutions_total',
    'Look-ups of the names of servers, by result: success, failed.',
    'upstream',
    'result',
  ),
  upstreamHealthy: gauge(
    'portico_upstream_healthy',
    'What the active checks of a server say: 1 up, 0 down. Only where `health` is configured.',
    'upstream',
    'server',
  ),
  upstreamHealthChecks: counter(
    'portico_upstream_health_checks_total',
    'Active checks by result: passed, or what failed: unresolved, refused, timeout, reset, protocol, status, body.',
    'upstream',
    'server',
    'result',
  ),
  upstreamHealthCheckDuration: histogram(
    'portico_upstream_health_check_duration_seconds',
    'Time that an active check took.',
    shortSeconds,
    'upstream',
  ),
  upstreamHealthChanges: counter(
    'portico_upstream_health_changes_total',
    'Times that active checks took a server out (down) or back (up).',
    'upstream',
    'server',
    'to',
  ),
  upstreamHealthChecksWaiting: gauge(
    'portico_upstream_health_checks_waiting',
    'Active checks that are due and wait for others to end, because only so many run at a time.',
  ),
  upstreamEjections: counter(
    'portico_upstream_ejections_total',
    'Times that a worker passed a server over for what its requests met, by cause: consecutive_failures, error_rate.',
    'upstream',
    'server',
    'cause',
  ),
  fileCacheRequests: counter(
    'portico_file_cache_requests_total',
    'Static files served, by where from: memory, disk.',
    'result',
  ),
  fileCacheBytes: gauge('portico_file_cache_bytes', 'Memory held by cached files.'),
  fileCacheEntries: gauge('portico_file_cache_entries', 'Files in memory.'),
  fileReadBufferBytes: gauge('portico_file_read_buffer_bytes', 'Memory held for streaming large files.'),
  fileChangedWhileServed: counter(
    'portico_file_changed_while_served_total',
    'Downloads cut because the file was truncated or replaced meanwhile.',
  ),
  acmeOrders: counter(
    'portico_acme_orders_total',
    'Certificates ordered from an authority, by the first of their names; result `issued`, or why not: unreachable, rate_limited, validation, refused, protocol, storage.',
    'certificate',
    'result',
  ),
  acmeFailing: gauge(
    'portico_acme_failing_orders',
    'Orders in a row that have failed; 0 while the certificate is kept up to date.',
    'certificate',
  ),
  acmeNextOrder: gauge(
    'portico_acme_next_order_timestamp_seconds',
    'When the certificate is ordered next, Unix time.',
    'certificate',
  ),
  acmeChallenges: counter(
    'portico_acme_challenge_requests_total',
    'Requests of an authority for a token that were answered (HTTP-01).',
  ),
  accessLogDropped: counter(
    'portico_access_log_dropped_total',
    'Access log lines lost because they could not be written.',
  ),
  workers: gauge('portico_workers', 'Worker processes that serve.'),
  workerRestarts: counter('portico_worker_restarts_total', 'Workers that died and were replaced.'),
  workerRolls: counter(
    'portico_worker_rolls_total',
    'Replacements of workers that served, by reason: all of them by `request` or because a reload changed the `configuration` that a worker reads at its start, one that had too much `memory`; result `success` or `failure`.',
    'reason',
    'result',
  ),
  workerEventLoopLag: maxGauge(
    'portico_worker_event_loop_lag_seconds',
    'Longest delay of the event loop since the last report.',
    'worker',
  ),
  workerMemory: maxGauge('portico_worker_resident_memory_bytes', 'Resident memory of a worker.', 'worker'),
  workerReportAge: gauge(
    'portico_worker_report_age_seconds',
    'Time since the last report of the worker heard from longest ago; grows while a worker is stuck.',
  ),
  workerCpu: counter('portico_worker_cpu_seconds_total', 'CPU time used.', 'worker'),
  reloads: counter('portico_config_reloads_total', 'Reloads by result: success, failure.', 'result'),
  reloadSuccessful: gauge('portico_config_last_reload_successful', 'Whether the last reload succeeded, 1 or 0.'),
  reloadTimestamp: gauge(
    'portico_config_last_reload_timestamp_seconds',
    'When the configuration in force was loaded, Unix time.',
  ),
  buildInfo: gauge('portico_build_info', 'Always 1; says what runs.', 'version', 'node', 'engine'),
  startTime: gauge('portico_process_start_time_seconds', 'When the primary started, Unix time.'),
} as const satisfies Record<string, MetricDefinition>;
