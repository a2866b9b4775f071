import { z } from 'zod';
import { routeAccess } from './access-schema.ts';
import { cors, securityHeaders } from './browser-schema.ts';
import { routeBuffering } from './buffering-schema.ts';
import { routeCache } from './cache-schema.ts';
import { routeCompress } from './compression-schema.ts';
import { keyFacts } from './key-facts.ts';
import { limitNames } from './limits-schema.ts';
import { fieldName, fieldValue, folder, label, textLike, textOf, upstreamName } from './schema-values.ts';
import { size } from './units.ts';
import { routeUpgrade } from './upgrade-schema.ts';
import { routeWebSocket } from './websocket-schema.ts';

const fieldChanges = z.strictObject({
  set: z
    .record(fieldName, fieldValue)
    .default({})
    .describe('Fields to set, name to value. Each replaces every field of that name.'),
  remove: z.array(fieldName).default([]).describe('Names of fields to remove.'),
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

const interceptedStatus = z.union([
  z.int().min(400).max(599),
  textLike(/^[45]xx$/, 'a status such as 404, or 4xx, or 5xx'),
]);

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
  interceptErrors: z
    .union([z.boolean(), z.array(interceptedStatus).min(1)])
    .register(keyFacts, { allowed: 'true, false, or a list of statuses such as 404 or 5xx' })
    .default(false)
    .describe(
      "Sends the site's `errorPages` in the place of the application's own error responses: of every status that has a page (`true`), or of some (`[404, 5xx]`). Clients that ask for JSON get what the application says, unless the page is JSON. NGINX: `proxy_intercept_errors`. HAProxy: `http-response return`.",
    ),
  requestHeaders: fieldChanges
    .prefault({})
    .describe('Changes to the fields of the request that is sent upstream. NGINX: `proxy_set_header`.'),
  onClientAbort: z
    .enum(['cancel', 'finish'])
    .default('cancel')
    .describe(
      'What becomes of a request that was sent whole when its client goes away. `cancel`: the connection to the server is closed; `finish`: the response is read and dropped, for work that must not be cut and so that `maxConnections` counts it to its end. Requests that wait are always given up. NGINX: `proxy_ignore_client_abort`. HAProxy: `option abortonclose` for the contrary.',
    ),
  buffering: routeBuffering,
  webSocket: routeWebSocket,
  upgrade: routeUpgrade,
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

/** What is done with the requests of a path. */
export const route = z.strictObject({
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
  internal: z
    .boolean()
    .default(false)
    .describe(
      'Takes only what an application asks for by X-Accel-Redirect (`upstreams.NAME.directives.redirect`); to requests from outside there is nothing here (404). NGINX: `internal`. HAProxy: none.',
    ),
  static: staticFiles.optional().describe('Serves files.'),
  proxy: proxy.optional().describe('Passes requests to an upstream.'),
  redirect: redirect.optional().describe('Sends clients elsewhere.'),
  respond: respond.optional().describe('Answers with a fixed response. NGINX: `return`.'),
  cache: routeCache,
  compress: routeCompress,
  bodyLimit: size()
    .optional()
    .describe('Most bytes in a request body. Without it `limits.bodySize`. NGINX: `client_max_body_size`.'),
  limitRate: size({ min: 1024 })
    .optional()
    .describe(
      'Most bytes a second that the body of each response is sent with, after a first second at full speed. Without it there is no bound. NGINX: `limit_rate`. HAProxy: `bwlim-out`.',
    ),
  rateLimit: limitNames('rateLimits', 'limit_req'),
  concurrencyLimit: limitNames('concurrencyLimits', 'limit_conn'),
  access: routeAccess,
  securityHeaders,
  cors,
  responseHeaders: fieldChanges
    .prefault({})
    .describe(
      'Changes to the fields of every response of the route, whatever its status. NGINX: `add_header … always`.',
    ),
});
