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
    .describe('Fields to set, name to value. Each replaces every field of that name.'),
  remove: z.array(fieldName).default([]).describe('Names of fields to remove.'),
});

const listener = z.strictObject({
  address: listenAddress.describe(
    '`host:port`, `[ipv6]:port`, or `:port` for every address. Port 0 takes a free one. NGINX: `listen`.',
  ),
});

const admin = z.strictObject({
  address: listenAddress
    .default('127.0.0.1:9180')
    .describe('Where `/metrics`, `/health`, `/ready` and `/status` answer. Keep it off public addresses.'),
});

const accessLog = z.strictObject({
  format: z
    .enum(['combined', 'json'])
    .default('combined')
    .describe('`combined` is the format of NGINX and Apache; `json` has every field. NGINX: `log_format`.'),
  path: textOf('stdout, stderr or the path of a file')
    .default('stdout')
    .describe('`stdout`, `stderr` or a file. A file is opened anew on SIGUSR2, for logrotate. NGINX: `access_log`.'),
  flushInterval: duration({ min: 10, max: 60_000 })
    .prefault('1s')
    .describe('Longest time that a line waits in memory before it is written. NGINX: `access_log … flush`.'),
});

const log = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('The least severe lines that are written. NGINX: `error_log`.'),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('`text` is for people, `json` for programs; `auto` is `text` on a terminal and `json` otherwise.'),
});

const limits = z.strictObject({
  headerSize: size({ min: 4096, max: 1024 ** 2 })
    .prefault('32KB')
    .register(keyFacts, atStart)
    .describe(
      'Most bytes in the request line and the fields together. A larger request is answered with 431. NGINX: `large_client_header_buffers`.',
    ),
  bodySize: size()
    .prefault('100MB')
    .describe(
      'Most bytes in a request body, unless the route has a `bodyLimit`. A larger request is answered with 413. NGINX: `client_max_body_size`.',
    ),
});

const timeouts = z.strictObject({
  requestBody: duration({ min: 1000 })
    .prefault('60s')
    .describe(
      'Longest silence within a request body. After it the request is answered with 408. NGINX: `client_body_timeout`.',
    ),
  send: duration({ min: 5000 })
    .prefault('60s')
    .describe(
      'Longest time in which a client takes no byte of its response. After it the connection is cut. NGINX: `send_timeout`.',
    ),
});

const fileCache = z.strictObject({
  size: size()
    .prefault('64MB')
    .describe(
      'Memory for the contents of small files, in each worker. `0B` turns the cache off. NGINX: `open_file_cache`.',
    ),
  maxFileSize: size({ max: 64 * 1024 ** 2 })
    .prefault('1MB')
    .describe('Files up to this size are kept in memory. Larger ones stream from disk.'),
  revalidate: duration()
    .prefault('1s')
    .describe(
      'How long a cached file is served before it is compared with the disk again; an edit shows at the latest after this time. NGINX: `open_file_cache_valid`.',
    ),
  readBuffers: size({ min: 1024 ** 2 })
    .prefault('32MB')
    .describe(
      'Memory for streaming large files, in each worker. When it is used up, further downloads wait for a free part. NGINX: `output_buffers`.',
    ),
});

const server = z.strictObject({
  url: serverUrl.describe('`http://host:port`, `host:port` or `unix:/path/to/socket`. NGINX: `server` in `upstream`.'),
  weight: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('Share of the requests, relative to the other servers of the upstream. NGINX: `weight`.'),
});

const upstream = z.strictObject({
  servers: z
    .array(z.union([serverUrl, server]))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one server: a URL, or a mapping with the keys url, weight' })
    .describe(
      'The instances of the application: URLs, or mappings of `url` and `weight`. NGINX: `server` in `upstream`.',
    ),
  balance: z
    .enum(['round-robin'])
    .default('round-robin')
    .describe('How the server of a request is chosen. `round-robin`: in turn, by weight.'),
  failBackoff: duration({ min: 100, max: 600_000 })
    .prefault('1s')
    .describe(
      'How long a server that refused a connection is passed over. The time doubles at each further refusal, up to 30s. When all servers refuse they are tried all the same. NGINX: `fail_timeout`.',
    ),
  keepAlive: z
    .strictObject({
      idleTimeout: duration()
        .prefault('1500ms')
        .describe(
          'How long an idle connection is kept. The default is below the two seconds after which Gunicorn closes its end. NGINX: `keepalive_timeout` in `upstream`.',
        ),
      maxIdle: z
        .int()
        .min(0)
        .max(100_000)
        .default(64)
        .describe(
          'Most idle connections to each server, in each worker. With 0 every request opens a connection. NGINX: `keepalive`.',
        ),
    })
    .prefault({})
    .describe('Connections that are kept open between requests.'),
  timeouts: z
    .strictObject({
      connect: duration({ min: 1 })
        .prefault('5s')
        .describe(
          'Longest time to open a connection. After it the next server is tried; without one the answer is 504. NGINX: `proxy_connect_timeout`.',
        ),
      response: duration({ min: 1 })
        .prefault('60s')
        .describe(
          'Longest wait for the head of the response, from the end of the request. After it the answer is 504. NGINX: `proxy_read_timeout`.',
        ),
      read: duration({ min: 1 })
        .prefault('60s')
        .describe(
          'Longest silence within the body of a response. After it the connection to the client is cut. NGINX: `proxy_read_timeout`.',
        ),
      write: duration({ min: 1 })
        .prefault('60s')
        .describe(
          'Longest time in which the server takes no byte of the request. After it the answer is 504. NGINX: `proxy_send_timeout`.',
        ),
    })
    .prefault({})
    .describe('How long the servers may take.'),
  maxResponseHead: size({ min: 1024, max: 1024 ** 2 })
    .prefault('64KB')
    .describe('Most bytes in the head of a response. A larger one is answered with 502. NGINX: `proxy_buffer_size`.'),
});

const staticFiles = z.strictObject({
  root: folder.describe(
    'Folder of the files. What follows the prefix of the route is looked up in it. NGINX: `alias`.',
  ),
  index: z
    .union([z.literal(false), textLike(/^(?!\.\.?$)[^/\0]+$/, 'the name of a file, without a slash')])
    .default('index.html')
    .describe('Name of the file that is served for a folder; `false` for none. NGINX: `index`.'),
  fallback: textOf('the path of a file below the root, such as /index.html')
    .optional()
    .describe(
      'File below the root that is served, with status 200, where there is no such file: for single-page applications. NGINX: `try_files $uri /index.html`.',
    ),
  passThrough: upstreamName
    .optional()
    .describe('Upstream that is asked where there is no such file. NGINX: `try_files $uri @app`.'),
  listing: z
    .boolean()
    .default(false)
    .describe(
      'Lists folders that have no index file: as HTML, or as JSON to clients that ask for it. NGINX: `autoindex`.',
    ),
  precompressed: z
    .boolean()
    .default(true)
    .describe(
      'Serves `file.br`, `file.zst` or `file.gz` in the place of `file` to clients that accept it. NGINX: `gzip_static`.',
    ),
  immutable: z
    .boolean()
    .default(true)
    .describe(
      'Lets clients keep files whose names hold a hash of their content (`app.55e7cbb9ba48.css`, `index-BwX3k9Qa.js`) for a year, without asking again. NGINX: `expires 1y`.',
    ),
  cacheControl: z
    .array(
      z.strictObject({
        match: textOf('a glob such as **/*.css').describe('Glob for the path below the root, such as `**/*.css`.'),
        value: fieldValue.describe('Value of the Cache-Control field.'),
      }),
    )
    .default([])
    .describe(
      'Cache-Control fields by pattern. The first that matches counts, and comes before `immutable`. NGINX: `expires`.',
    ),
});

const proxy = z.strictObject({
  upstream: upstreamName.describe('Name of the upstream. NGINX: `proxy_pass`.'),
  stripPrefix: z
    .boolean()
    .default(false)
    .describe(
      'Sends the path without the prefix of the route. Otherwise it is sent as the client wrote it. NGINX: `proxy_pass` with a URI.',
    ),
  host: z
    .union([
      z.literal('keep'),
      z.literal('upstream'),
      z.strictObject({ value: textOf('a host such as app.internal').describe('The Host field, word for word.') }),
    ])
    .default('keep')
    .describe(
      "The Host field sent upstream: the client's (`keep`), the address of the server (`upstream`), or a fixed `value`. NGINX: `proxy_set_header Host`.",
    ),
  forwarded: z
    .boolean()
    .default(false)
    .describe('Sends the Forwarded field (RFC 7239) in addition to the X-Forwarded fields.'),
  requestHeaders: fieldChanges
    .prefault({})
    .describe('Changes to the fields of the request that is sent upstream. NGINX: `proxy_set_header`.'),
});

const redirect = z.strictObject({
  to: textOf('a path that starts with one slash, or an http:// or https:// URL').describe(
    'Where to: a path or an absolute URL. NGINX: `return 301 …`.',
  ),
  status: z
    .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)])
    .default(302)
    .describe('Status of the redirect. 301 and 308 are permanent; 307 and 308 keep the method.'),
  keepPath: z.boolean().default(true).describe('Appends what follows the prefix of the route to the target.'),
  keepQuery: z.boolean().default(true).describe('Appends the query of the request to the target.'),
});

const respond = z.strictObject({
  status: z.int().min(200).max(599).default(200).describe('Status of the response.'),
  body: z.string().default('').describe('Body of the response, sent as UTF-8.'),
  contentType: fieldValue.default('text/plain; charset=utf-8').describe('Content-Type of the body.'),
});

const condition = z.union([fieldValue, z.boolean()]);

const errorPages = z
  .record(textLike(/^([45]\d\d|[45]xx)$/, 'a status such as 404, or 4xx, or 5xx'), file)
  .default({})
  .describe(
    'Pages for errors that Portico itself answers with: the path of a file by status, `404`, or by class, `4xx` or `5xx`. Files of at most 1MB, read at start and reload. NGINX: `error_page`.',
  );

const route = z.strictObject({
  path: textLike(/^\//, 'a path that starts with /').describe(
    'Prefix of the path, in whole segments: `/api` takes `/api` and `/api/x` but not `/apix`; `/api/` takes what begins with `/api/`. `/api/*` is the same as `/api/`. NGINX: `location`.',
  ),
  exact: z.boolean().default(false).describe('Takes this path only, and nothing below it. NGINX: `location =`.'),
  name: label.optional().describe('Label in metrics and logs, unique in the site. Without it the path.'),
  methods: z
    .array(textLike(/^[A-Z][A-Z0-9_-]{0,31}$/, 'a method in capitals, such as GET'))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one method in capitals, such as GET' })
    .optional()
    .describe('Takes requests with one of these methods only. GET includes HEAD. NGINX: `limit_except`.'),
  headers: z
    .record(fieldName, condition)
    .optional()
    .describe(
      'Takes requests with these fields only. By name: the value, `true` for any value, or `false` for requests without the field.',
    ),
  query: z
    .record(z.string(), z.union([z.string(), z.boolean()]))
    .optional()
    .describe(
      'Takes requests with these query parameters only. By name: the value, `true` for any value, or `false` for requests without the parameter.',
    ),
  static: staticFiles.optional().describe('Serves files.'),
  proxy: proxy.optional().describe('Passes requests to an upstream.'),
  redirect: redirect.optional().describe('Sends clients elsewhere.'),
  respond: respond.optional().describe('Answers with a fixed response. NGINX: `return`.'),
  bodyLimit: size()
    .optional()
    .describe('Most bytes in a request body. Without it `limits.bodySize`. NGINX: `client_max_body_size`.'),
  responseHeaders: fieldChanges
    .prefault({})
    .describe(
      'Changes to the fields of every response of the route, whatever its status. NGINX: `add_header … always`.',
    ),
});

const site = z.strictObject({
  name: label
    .optional()
    .describe('Label in metrics and logs, unique among the sites. Without it the first host, or `default`.'),
  hosts: z
    .array(textOf('a host such as example.com or *.example.com'))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one host, such as example.com or *.example.com' })
    .optional()
    .describe(
      'Hosts of the site: `example.com`, or `*.example.com` for every name below it. Without it the site takes every host that no other site names. NGINX: `server_name`.',
    ),
  routes: z
    .array(route)
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one route' })
    .describe('What is done with a request, by path. The longest path that matches counts. NGINX: `location`.'),
  errorPages,
});

export const configSchema = z.strictObject({
  listen: z
    .array(z.union([listenAddress, listener]))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one address, such as 0.0.0.0:8080' })
    .default(['0.0.0.0:8080'])
    .describe('Addresses where clients connect. NGINX: `listen`.'),
  admin: z
    .union([z.literal(false), admin])
    .prefault({})
    .describe('The listener for metrics, health and status; `false` for none.'),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(1024)])
    .register(keyFacts, atStart)
    .default('auto')
    .describe('How many worker processes serve; `auto` is one for each core. NGINX: `worker_processes`.'),
  shutdownTimeout: duration()
    .prefault('30s')
    .describe('How long SIGTERM and SIGINT wait for requests in flight. NGINX: `worker_shutdown_timeout`.'),
  trustedProxies: z
    .array(textOf('an address such as 10.0.0.1 or a range such as 10.0.0.0/8'))
    .register(keyFacts, { allowed: 'a list of addresses and ranges, such as 10.0.0.0/8' })
    .default([])
    .describe(
      'Addresses and CIDR ranges of the proxies in front of Portico. Only their X-Forwarded-*, Forwarded and X-Request-Id fields are believed. NGINX: `set_real_ip_from`.',
    ),
  log: log.prefault({}).describe('The log of events, on standard error. NGINX: `error_log`.'),
  accessLog: z
    .union([z.literal(false), accessLog])
    .prefault({})
    .describe('The log of requests; `false` for none. NGINX: `access_log`.'),
  limits: limits.prefault({}).describe('How much clients may send.'),
  timeouts: timeouts.prefault({}).describe('How long clients may take.'),
  fileCache: fileCache.prefault({}).describe('Memory for static files.'),
  types: z
    .record(textLike(/^[A-Za-z0-9_+-]+$/, 'a file extension without its dot'), fieldValue)
    .default({})
    .describe('Content types by file extension, in addition to the well-known ones. NGINX: `types`.'),
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
