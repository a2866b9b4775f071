import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { duration, size } from './units.ts';

/*
 * The one table of configuration keys. Types, defaults, JSON Schema, docs/configuration.md and error messages come from
 * it. Every key has a `describe` text; NGINX's counterpart stands in it where there is one.
 */

const atStart = { appliesAt: 'start' } as const;

/** Text of a form that a regular expression states and `allowed` says in words. */
function textLike(form: RegExp, allowed: string) {
  return z.string().regex(form).register(keyFacts, { allowed });
}

/** Text that the compilation looks at more closely. */
function textOf(allowed: string) {
  return z.string().min(1).register(keyFacts, { allowed });
}

const label = textLike(
  /^[A-Za-z0-9_/][A-Za-z0-9_.:/*-]{0,99}$/,
  'a name of at most 100 letters, digits and _ . : / * -, which does not begin with . : * or -',
);
const fieldName = textLike(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'the name of an HTTP field, such as X-Frame-Options');
const fieldValue = textLike(
  // oxlint-disable-next-line no-control-regex
  /^[\t\x20-\x7e\x80-\xff]*$/,
  'the value of an HTTP field: one line of Latin-1 text',
);
const listenAddress = textOf('host:port, [ipv6]:port or :port, with a port from 0 to 65535');
const serverUrl = textOf('http://host:port, host:port or unix:/path/to/socket');
const upstreamName = textOf('the name of an upstream');
const folder = textOf('the path of a folder');
const file = textOf('the path of a file');

const fieldChanges = z.strictObject({
  set: z
    .record(fieldName, fieldValue)
    .default({})
    .describe('Fields to set, name to value; they replace what is there.'),
  remove: z.array(fieldName).default([]).describe('Names of fields to remove.'),
});

const listener = z.strictObject({
  address: listenAddress.describe('`host:port`, `[ipv6]:port` or `:port` (every address). Port 0 takes a free one.'),
});

const admin = z.strictObject({
  address: listenAddress
    .default('127.0.0.1:9180')
    .describe('Where /metrics, /health, /ready and /status answer. Keep it off public addresses.'),
});

const accessLog = z.strictObject({
  format: z
    .enum(['combined', 'json'])
    .default('combined')
    .describe('`combined` is the format of NGINX and Apache; `json` has every field. NGINX: `log_format`.'),
  path: textOf('stdout, stderr or the path of a file')
    .default('stdout')
    .describe('`stdout`, `stderr`, or a file, which is opened anew on SIGUSR2 (for logrotate). NGINX: `access_log`.'),
  flushInterval: duration({ min: 10, max: 60_000 })
    .prefault('1s')
    .describe('Longest time that a line waits in memory.'),
});

const log = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe lines written to standard error. NGINX: `error_log`.'),
  format: z.enum(['auto', 'text', 'json']).default('auto').describe('`auto`: readable on a terminal, JSON otherwise.'),
});

const limits = z.strictObject({
  headerSize: size({ min: 4096, max: 1024 ** 2 })
    .prefault('32KB')
    .register(keyFacts, atStart)
    .describe('Largest request line and fields together; beyond it 431. NGINX: `large_client_header_buffers`.'),
  bodySize: size()
    .prefault('100MB')
    .describe(
      'Largest request body where the route does not say otherwise; beyond it 413. NGINX: `client_max_body_size`.',
    ),
});

const timeouts = z.strictObject({
  requestBody: duration({ min: 1000 })
    .prefault('60s')
    .describe('Longest silence within a request body; then 408. NGINX: `client_body_timeout`.'),
  send: duration({ min: 5000 })
    .prefault('60s')
    .describe(
      'Longest time in which a client takes no byte of its response; then the connection is cut. NGINX: `send_timeout`.',
    ),
});

const fileCache = z.strictObject({
  size: size()
    .prefault('64MB')
    .describe('Memory for the contents of small files, per worker. `0B` turns it off. NGINX: `open_file_cache`.'),
  maxFileSize: size({ max: 64 * 1024 ** 2 })
    .prefault('1MB')
    .describe('Files up to this size are served from memory; larger ones stream from disk.'),
  revalidate: duration()
    .prefault('1s')
    .describe(
      'A cached file is compared with the disk at most this often, so an edit shows after this time. NGINX: `open_file_cache_valid`.',
    ),
  readBuffers: size({ min: 1024 ** 2 })
    .prefault('32MB')
    .describe('Memory for streaming large files, per worker; further readers wait their turn.'),
});

const server = z.strictObject({
  url: serverUrl.describe('`http://host:port`, `host:port` or `unix:/path/to/socket`. NGINX: `server` in `upstream`.'),
  weight: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('Share of the requests relative to the other servers. NGINX: `weight`.'),
});

const upstream = z.strictObject({
  servers: z
    .array(z.union([serverUrl, server]))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one server: a URL, or a mapping with the keys url, weight' })
    .describe('The application instances: a list of URLs, or of `{url, weight}`. NGINX: `server` in `upstream`.'),
  balance: z
    .enum(['round-robin'])
    .default('round-robin')
    .describe('How a server is chosen. Smooth weighted round-robin.'),
  failBackoff: duration({ min: 100, max: 600_000 })
    .prefault('1s')
    .describe(
      'A server that refuses a connection is passed over for this long, doubled at each further refusal up to 30s. The last remaining servers are tried all the same. NGINX: `fail_timeout`.',
    ),
  keepAlive: z
    .strictObject({
      idleTimeout: duration()
        .prefault('1500ms')
        .describe(
          'An idle connection is closed after this time. Below the two seconds after which Gunicorn closes it. NGINX: `keepalive_timeout` in `upstream`.',
        ),
      maxIdle: z
        .int()
        .min(0)
        .max(100_000)
        .default(64)
        .describe('Most idle connections kept for each server, per worker; 0 opens one a request. NGINX: `keepalive`.'),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      connect: duration({ min: 1 })
        .prefault('5s')
        .describe('Longest time to connect; then the next server, or 504. NGINX: `proxy_connect_timeout`.'),
      response: duration({ min: 1 })
        .prefault('60s')
        .describe(
          'Longest wait for the response head after the request was sent; then 504. NGINX: `proxy_read_timeout`.',
        ),
      read: duration({ min: 1 })
        .prefault('60s')
        .describe('Longest silence within a response body; then the response is cut. NGINX: `proxy_read_timeout`.'),
      write: duration({ min: 1 })
        .prefault('60s')
        .describe(
          'Longest time in which the server takes no byte of the request; then 504. NGINX: `proxy_send_timeout`.',
        ),
    })
    .prefault({}),
  maxResponseHead: size({ min: 1024, max: 1024 ** 2 })
    .prefault('64KB')
    .describe('Largest response head; beyond it 502. NGINX: `proxy_buffer_size`.'),
});

const staticFiles = z.strictObject({
  root: folder.describe('Folder that the path behind the prefix of the route is looked up in. NGINX: `alias`.'),
  index: z
    .union([z.literal(false), textLike(/^(?!\.\.?$)[^/\0]+$/, 'the name of a file, without a slash')])
    .default('index.html')
    .describe('File served for a folder; `false` for none. NGINX: `index`.'),
  fallback: textOf('the path of a file below the root, such as /index.html')
    .optional()
    .describe(
      'Path within the root served (200) where there is no such file: a single-page application. NGINX: `try_files`.',
    ),
  passThrough: upstreamName
    .optional()
    .describe(
      'Upstream asked where there is no such file: file first, then the application. NGINX: `try_files $uri @app`.',
    ),
  listing: z
    .boolean()
    .default(false)
    .describe('Lists folders without an index: HTML, or JSON when asked for. NGINX: `autoindex`.'),
  precompressed: z
    .boolean()
    .default(true)
    .describe(
      'Serves `file.br`, `file.zst` or `file.gz` beside `file` to clients that take them. NGINX: `gzip_static`.',
    ),
  immutable: z
    .boolean()
    .default(true)
    .describe(
      'Gives names that carry a content hash (`app.55e7cbb9ba48.css`, `index-BwX3k9Qa.js`) a year and `immutable`.',
    ),
  cacheControl: z
    .array(
      z.strictObject({
        match: textOf('a glob such as **/*.css').describe('Glob over the path within the root, such as `**/*.css`.'),
        value: fieldValue.describe('The Cache-Control value.'),
      }),
    )
    .default([])
    .describe('Cache-Control by pattern; the first match counts, before `immutable`. NGINX: `expires`.'),
});

const proxy = z.strictObject({
  upstream: upstreamName.describe('Name of the upstream. NGINX: `proxy_pass`.'),
  stripPrefix: z
    .boolean()
    .default(false)
    .describe('Cuts the prefix of the route off the path sent upstream. NGINX: `proxy_pass` with a URI.'),
  host: z
    .union([
      z.literal('keep'),
      z.literal('upstream'),
      z.strictObject({ value: textOf('a host such as app.internal').describe('The Host field, word for word.') }),
    ])
    .default('keep')
    .describe(
      "Host field sent upstream: the client's (`keep`), the address of the server (`upstream`), or `{value: name}`. NGINX: `proxy_set_header Host`.",
    ),
  forwarded: z.boolean().default(false).describe('Sends the `Forwarded` field (RFC 7239) beside the X-Forwarded ones.'),
  requestHeaders: fieldChanges.prefault({}).describe('Changes to the fields sent upstream. NGINX: `proxy_set_header`.'),
});

const redirect = z.strictObject({
  to: textOf('a path that starts with one slash, or an http:// or https:// URL').describe(
    'Target: a path or an absolute URL. A prefix route appends the rest of the path unless `keepPath` is false. NGINX: `return 301`.',
  ),
  status: z
    .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)])
    .default(302)
    .describe('301, 302, 307 or 308.'),
  keepPath: z.boolean().default(true).describe('Appends what follows the prefix of the route.'),
  keepQuery: z.boolean().default(true).describe('Appends the query.'),
});

const respond = z.strictObject({
  status: z.int().min(200).max(599).default(200).describe('Status of the response.'),
  body: z.string().default('').describe('Body, sent as UTF-8.'),
  contentType: fieldValue.default('text/plain; charset=utf-8').describe('Content-Type of the body.'),
});

const condition = z.union([fieldValue, z.boolean()]);

const errorPages = z
  .record(textLike(/^([45]\d\d|[45]xx)$/, 'a status such as 404, or 4xx, or 5xx'), file)
  .default({})
  .describe('Files served for errors that Portico makes, by status: `404`, `4xx`, `5xx`. NGINX: `error_page`.');

const route = z.strictObject({
  path: textLike(/^\//, 'a path that starts with /').describe(
    'Prefix of the path, ended at a segment: `/api` takes /api and /api/x, not /apix; `/api/` takes what lies below only. The longest wins. NGINX: `location`.',
  ),
  exact: z.boolean().default(false).describe('Takes this path only, not those below. NGINX: `location =`.'),
  name: label.optional().describe('Label of the route in metrics and logs; its path when left out.'),
  methods: z
    .array(textLike(/^[A-Z][A-Z0-9_-]{0,31}$/, 'a method in capitals, such as GET'))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one method in capitals, such as GET' })
    .optional()
    .describe('Only these methods; GET includes HEAD.'),
  headers: z
    .record(fieldName, condition)
    .optional()
    .describe('Only requests with these fields: a value that must be equal, `true` for any value, `false` for none.'),
  query: z
    .record(z.string(), z.union([z.string(), z.boolean()]))
    .optional()
    .describe('Only requests with these query parameters, as `headers`.'),
  static: staticFiles.optional().describe('Serves files.'),
  proxy: proxy.optional().describe('Passes the request to an upstream.'),
  redirect: redirect.optional().describe('Sends the client elsewhere.'),
  respond: respond.optional().describe('Answers with a fixed response. NGINX: `return`.'),
  bodyLimit: size()
    .optional()
    .describe('Largest request body; `limits.bodySize` when left out. NGINX: `client_max_body_size`.'),
  responseHeaders: fieldChanges
    .prefault({})
    .describe('Changes to the fields of each response, whatever its status. NGINX: `add_header … always`.'),
});

const site = z.strictObject({
  name: label
    .optional()
    .describe('Label of the site in metrics and logs; its first host, or `default`, when left out.'),
  hosts: z
    .array(textOf('a host such as example.com or *.example.com'))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one host, such as example.com or *.example.com' })
    .optional()
    .describe(
      '`example.com`, `*.example.com`; without it the site takes every host that no other site names. NGINX: `server_name`.',
    ),
  routes: z
    .array(route)
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one route' })
    .describe('What is answered with what. The longest matching path wins, an exact one before a prefix.'),
  errorPages,
});

export const configSchema = z.strictObject({
  listen: z
    .array(z.union([listenAddress, listener]))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one address, such as 0.0.0.0:8080' })
    .default(['0.0.0.0:8080'])
    .describe('Where clients connect. NGINX: `listen`.'),
  admin: z
    .union([z.literal(false), admin])
    .prefault({})
    .describe('The admin listener; `false` for none.'),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(1024)])
    .register(keyFacts, atStart)
    .default('auto')
    .describe('Worker processes; `auto` is one a core. NGINX: `worker_processes`.'),
  shutdownTimeout: duration()
    .prefault('30s')
    .describe(
      'On SIGTERM and SIGINT, longest time that requests in flight are waited for. NGINX: `worker_shutdown_timeout`.',
    ),
  trustedProxies: z
    .array(textOf('an address such as 10.0.0.1 or a range such as 10.0.0.0/8'))
    .register(keyFacts, { allowed: 'a list of addresses and ranges, such as 10.0.0.0/8' })
    .default([])
    .describe(
      'Addresses or CIDR ranges of proxies in front whose X-Forwarded-* and X-Request-Id are believed. NGINX: `set_real_ip_from`.',
    ),
  log: log.prefault({}).describe('The log on standard error.'),
  accessLog: z
    .union([z.literal(false), accessLog])
    .prefault({})
    .describe('The access log; `false` for none.'),
  limits: limits.prefault({}).describe('Bounds on what clients may send.'),
  timeouts: timeouts.prefault({}).describe('Bounds on how long clients may take.'),
  fileCache: fileCache.prefault({}).describe('Memory used for static files.'),
  types: z
    .record(textLike(/^[A-Za-z0-9_+-]+$/, 'a file extension without its dot'), fieldValue)
    .default({})
    .describe('Content types by file extension, beside the well-known ones. NGINX: `types`.'),
  upstreams: z
    .record(label, upstream)
    .default({})
    .describe('Groups of application servers, by name. NGINX: `upstream`.'),
  sites: z
    .array(site)
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one site' })
    .describe('The sites. NGINX: `server`.'),
});

/** What may stand in a file. */
export type ConfigInput = z.input<typeof configSchema>;
/** A valid configuration as the schema gives it: defaults filled in, durations in milliseconds, sizes in bytes. */
export type ParsedConfig = z.output<typeof configSchema>;
