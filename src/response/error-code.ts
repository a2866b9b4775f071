/** Whose fault an error is: it decides status, log level and which alert fires. */
export type ErrorSide = 'client' | 'upstream' | 'internal' | 'config';

/** What stands behind an error code. */
export interface ErrorDefinition {
  readonly status: number;
  readonly side: ErrorSide;
  /** Whether another upstream server, or a later try, may succeed. */
  readonly retryable: boolean;
  /** One sentence for the person who sees the error page. */
  readonly title: string;
  /** Who failed, in words for the error page, where those for the side would be wrong. */
  readonly explanation?: string;
  /** What the error page says of the part that failed, where `failed` would be wrong. */
  readonly condition?: string;
  /** What it means and what an operator can do; goes into docs/errors.md. */
  readonly meaning: string;
}

/**
 * Every error that becomes a response or ends a connection. The code stands in the error page, the JSON error, the access
 * log (`error`) and the label of `portico_http_errors_total`.
 */
export const errorCodes = {
  request_malformed: {
    status: 400,
    side: 'client',
    retryable: false,
    title: 'The request could not be understood.',
    meaning:
      'The request breaks HTTP in a way that two parsers could read differently (ambiguous framing, bad field, bad target). It is refused and the connection closed.',
  },
  path_invalid: {
    status: 400,
    side: 'client',
    retryable: false,
    title: 'The address is not valid.',
    meaning:
      'The path has a broken percent escape, an encoded slash, backslash or NUL, or leaves the root by dot segments.',
  },
  authentication_required: {
    status: 401,
    side: 'client',
    retryable: false,
    title: 'You have to sign in to see this.',
    meaning:
      'The `access` of the route asks for credentials, and there were none or wrong ones. WWW-Authenticate says which are taken.',
  },
  access_denied: {
    status: 403,
    side: 'client',
    retryable: false,
    title: 'You may not see this.',
    meaning: 'The `access` of the route does not let the client in: its address is not allowed.',
  },
  route_not_found: {
    status: 404,
    side: 'client',
    retryable: false,
    title: 'There is nothing at this address.',
    meaning: 'The site has no route for this path, method or condition.',
  },
  file_not_found: {
    status: 404,
    side: 'client',
    retryable: false,
    title: 'There is nothing at this address.',
    meaning: 'The static route has no such file, or the file may not be served (dotfile, link out of the root).',
  },
  method_not_allowed: {
    status: 405,
    side: 'client',
    retryable: false,
    title: 'This address does not take that method.',
    meaning:
      'Static files answer GET and HEAD only, other routes what their `methods` say. The Allow field says what is possible.',
  },
  request_timeout: {
    status: 408,
    side: 'client',
    retryable: false,
    title: 'The request took too long to arrive.',
    meaning:
      'No byte of the request body came for `timeouts.requestBody`, or it came slower than `limits.minBodyRate`.',
  },
  request_too_long: {
    status: 504,
    side: 'upstream',
    retryable: false,
    title: 'The request took too long.',
    meaning:
      'The response was not complete after `timeouts.request`. Nobody reads this: the connection is cut, of HTTP/2 the stream.',
  },
  precondition_failed: {
    status: 412,
    side: 'client',
    retryable: false,
    title: 'The file has changed.',
    meaning: 'If-Match or If-Unmodified-Since does not hold for the file.',
  },
  body_too_large: {
    status: 413,
    side: 'client',
    retryable: false,
    title: 'The request is too large.',
    meaning: "The body is larger than the route's `bodyLimit` (100MB unless configured).",
  },
  range_not_satisfiable: {
    status: 416,
    side: 'client',
    retryable: false,
    title: 'The requested range lies outside the file.',
    meaning: 'No range of the Range field overlaps the file. Content-Range says how long it is.',
  },
  expectation_failed: {
    status: 417,
    side: 'client',
    retryable: false,
    title: 'The expectation cannot be met.',
    meaning: 'The Expect field holds something other than 100-continue.',
  },
  host_unknown: {
    status: 421,
    side: 'client',
    retryable: false,
    title: 'This server does not answer for that host.',
    meaning: 'No site lists the host of the request and no site is the default one (a site without `hosts`).',
  },
  websocket_version: {
    status: 426,
    side: 'client',
    retryable: false,
    title: 'This version of the WebSocket protocol is not spoken here.',
    meaning: 'A WebSocket handshake whose Sec-WebSocket-Version is not 13 (RFC 6455).',
  },
  rate_limited: {
    status: 429,
    side: 'client',
    retryable: false,
    title: 'Too many requests. Try again in a moment.',
    meaning:
      'The client has sent more requests than a `rateLimits` zone of the route allows; Retry-After says when the next one may come. The status is the `status` of the zone. The log names the zone.',
  },
  too_many_at_a_time: {
    status: 429,
    side: 'client',
    retryable: false,
    title: 'Too many requests at a time. Try again in a moment.',
    meaning:
      'The client has as many requests under way as a `concurrencyLimits` zone of the route allows. The status is the `status` of the zone. The log names the zone.',
  },
  too_many_attempts: {
    status: 429,
    side: 'client',
    retryable: false,
    title: 'Too many wrong passwords. Try again later.',
    meaning: 'As many wrong passwords came from the address of the client as `access.basic.attempts` allows.',
  },
  uri_too_long: {
    status: 414,
    side: 'client',
    retryable: false,
    title: 'The address is too long.',
    meaning: 'The target of the request, path and query, is longer than `limits.uriLength` (16KB unless configured).',
  },
  header_too_large: {
    status: 431,
    side: 'client',
    retryable: false,
    title: 'The request header is too large.',
    meaning:
      'The request line and fields are larger than `limits.headerSize` (32KB unless configured), or there are more fields than `limits.headerCount` (100 unless configured).',
  },
  protocol_unsupported: {
    status: 501,
    side: 'client',
    retryable: false,
    title: 'This address does not speak that protocol.',
    meaning:
      'An extended CONNECT of HTTP/2 (RFC 8441) asks for a protocol other than `websocket`, or for a WebSocket where something else answers: a 2xx would be taken for an open WebSocket.',
  },
  http_version: {
    status: 505,
    side: 'client',
    retryable: false,
    title: 'This version of HTTP is not spoken here.',
    meaning: 'The request line names neither HTTP/1.0 nor HTTP/1.1.',
  },
  internal: {
    status: 500,
    side: 'internal',
    retryable: false,
    title: 'Something went wrong in the front server.',
    meaning: 'A defect in Portico. The log has the stack under the same request id; please report it.',
  },
  file_unreadable: {
    status: 500,
    side: 'internal',
    retryable: false,
    title: 'The file could not be read.',
    meaning: 'The file is there but reading it failed: permissions, too many open files, a failing disk.',
  },
  authentication_busy: {
    status: 503,
    side: 'internal',
    retryable: true,
    title: 'Too many people are signing in. Try again in a moment.',
    condition: 'busy',
    meaning:
      'The password could not be checked: many others were waiting already, or checking took too long. Somebody may be guessing passwords from many addresses.',
  },
  upgrade_limit: {
    status: 503,
    side: 'internal',
    retryable: true,
    title: 'Too many connections of this kind are open. Try again in a moment.',
    condition: 'busy',
    meaning:
      'The request asks for another protocol, and the worker has `proxy.upgrade.maxOpen` tunnels of the route open. Retry-After says when to come again.',
  },
  spool_full: {
    status: 503,
    side: 'internal',
    retryable: true,
    title: 'The server has too much to keep at the moment.',
    meaning:
      'There was no room for a request body: the files of the worker hold `spool.size` already, or its memory (`spool.memory`) is lent out. Retry-After says when to come again.',
  },
  spool_failed: {
    status: 503,
    side: 'internal',
    retryable: true,
    title: 'The request could not be kept.',
    meaning:
      'A request body could not be written to `spool.directory`, or not be read back: the disk is full or broken, the folder is missing or not writable, or too many files are open. The log has the reason.',
  },
  authorizer_failed: {
    status: 502,
    side: 'upstream',
    retryable: true,
    title: 'It cannot be found out at the moment whether you may see this. Try again in a moment.',
    meaning:
      'The service of `access.forward` did not answer in time, or with an error of its own (5xx). Nobody is let in then. The log says why.',
  },
  upstream_unreachable: {
    status: 502,
    side: 'upstream',
    retryable: true,
    title: 'The application is not reachable.',
    meaning:
      'No server of the upstream accepted a connection: it is down, or its address or socket path is wrong; or it did, and the TLS handshake failed for another reason than its certificate.',
  },
  upstream_certificate: {
    status: 502,
    side: 'upstream',
    retryable: true,
    title: 'The application could not prove who it is.',
    meaning:
      'The certificate of an `https://` server did not pass verification: it has expired, is self-signed, is for another name or by an authority that is not known. Nothing was sent to it. The log says which; `tls.ca` and `tls.serverName` of the upstream say what is believed.',
  },
  upstream_reset: {
    status: 502,
    side: 'upstream',
    retryable: true,
    title: 'The application closed the connection without an answer.',
    meaning: 'The connection ended before a byte of the response came: a worker was killed or timed out.',
  },
  upstream_protocol: {
    status: 502,
    side: 'upstream',
    retryable: false,
    title: 'The application sent something that is not HTTP.',
    meaning: 'The response breaks HTTP (status line, field, framing). Nothing of it was passed on.',
  },
  directive_refused: {
    status: 502,
    side: 'upstream',
    retryable: false,
    title: 'The application asked for something it may not have.',
    meaning:
      'X-Accel-Redirect or X-Sendfile of the application is not usable: no valid path, a path that no `internal` route of the site takes, a file outside the folder, or too many redirects in a row. The log says which.',
  },
  upstream_maintenance: {
    status: 503,
    side: 'config',
    retryable: true,
    title: 'The site is being worked on and will be back soon.',
    explanation: 'Portico, the front server, is working. The application behind it is in maintenance, on purpose.',
    condition: 'in maintenance',
    meaning:
      'Every server of the upstream is in the state `maintenance`. The page is `errorPages.maintenance` where there is one. Retry-After says when to come again.',
  },
  upstream_restarting: {
    status: 503,
    side: 'upstream',
    retryable: true,
    title: 'The site is restarting. Try again in a moment.',
    explanation: 'Portico, the front server, is working. The application behind it is restarting.',
    condition: 'restarting',
    meaning:
      'No server of the upstream was up, and `waitForUpstreamMax` requests were waiting for one already. Retry-After says when to come again.',
  },
  upstream_busy: {
    status: 503,
    side: 'upstream',
    retryable: true,
    title: 'The application is busy. Try again in a moment.',
    explanation: 'Portico, the front server, is working. The application behind it has more requests than it can take.',
    condition: 'busy',
    meaning:
      'Every server of the upstream was at its `maxConnections`, and the request found no place in `queue` or waited there for its `timeout`. Retry-After says when to come again. The application is too slow or has too few workers.',
  },
  circuit_open: {
    status: 503,
    side: 'upstream',
    retryable: true,
    title: 'The application is failing. Try again in a moment.',
    explanation:
      'Portico, the front server, is working. The application behind it fails too often and is given a rest.',
    condition: 'resting',
    meaning:
      'Too many requests to the upstream failed, so that its `circuitBreaker` answers further ones at once. Retry-After says when some are let through again.',
  },
  upstream_incomplete: {
    status: 502,
    side: 'upstream',
    retryable: false,
    title: 'The application stopped in the middle of its answer.',
    meaning:
      'The connection ended inside the response. When its beginning had been sent already, the client connection is cut instead.',
  },
  upstream_connect_timeout: {
    status: 504,
    side: 'upstream',
    retryable: true,
    title: 'The application did not accept the connection in time.',
    meaning:
      'Connecting, TLS included, took longer than `timeouts.connect` of the upstream: usually a full listen backlog.',
  },
  only_if_cached: {
    status: 504,
    side: 'client',
    retryable: false,
    title: 'There is no copy of this page.',
    explanation:
      'Portico, the front server, is working, and so is the application. The request wants nothing but a copy.',
    condition: 'not asked',
    meaning:
      'The request says `Cache-Control: only-if-cached`, which the route obeys (`cache.obeyRequest`), and nothing that could answer it is stored.',
  },
  upstream_timeout: {
    status: 504,
    side: 'upstream',
    retryable: false,
    title: 'The application took too long to answer.',
    meaning: 'The response head did not come within `timeouts.response`, or nothing came for `timeouts.read`.',
  },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errorCodes;
