import { z } from 'zod';
import { siteAccess } from './access-schema.ts';
import { cors, securityHeaders } from './browser-schema.ts';
import { spool } from './buffering-schema.ts';
import { caches } from './cache-schema.ts';
import { compression } from './compression-schema.ts';
import { keyFacts } from './key-facts.ts';
import { concurrencyLimits, connectionLimits, limitNames, rateLimits, redis } from './limits-schema.ts';
import { route } from './route-schema.ts';
import { account, accountGroup, fieldValue, file, label, listenAddress, textLike, textOf } from './schema-values.ts';
import { socketFile } from './socket-schema.ts';
import { listenerTls } from './tls-schema.ts';
import { duration, size } from './units.ts';
import { upstream } from './upstream-schema.ts';

/*
 * The one table of configuration keys, with upstream-schema.ts and route-schema.ts. Types, defaults, JSON Schema,
 * docs/configuration.md and error messages come from it. Every key has a `describe` text, which ends with NGINX's
 * counterpart where there is one: ``… NGINX: `listen`.``
 */

const atReplacement = { appliesAt: 'replacement' } as const;
const atRestart = { appliesAt: 'restart' } as const;

const peers = textOf('an address such as 10.0.0.1, a range such as 10.0.0.0/8, or unix');

const listener = z.strictObject({
  address: listenAddress.describe(
    '`host:port`, `[ipv6]:port`, `:port` for every address, or `unix:/path/to/socket`. Port 0 takes a free one. A Unix socket takes the `node` engine. NGINX: `listen`.',
  ),
  engine: z
    .enum(['auto', 'uws', 'node'])
    .default('auto')
    .describe(
      'What serves the address: `uws` is the fast one; `node` also speaks HTTP/1.0, keeps idle connections as long as `timeouts.keepAlive` says, and answers pipelined requests and half-closed clients, as load balancers in front may want it. `auto` takes uws where it runs, beside `tls` with `http2: false` only. docs/engines.md compares them. NGINX: none. HAProxy: none.',
    ),
  redirectToHttps: z
    .union([z.boolean(), z.int().min(1).max(65_535)])
    .register(keyFacts, { allowed: 'true, false or the port that clients reach HTTPS at' })
    .default(false)
    .describe(
      'Sends clients to the same place over HTTPS with status 308, all but what authorities of certificates ask for below /.well-known/acme-challenge/ and what a trusted proxy has taken over HTTPS. `true`: to the port of the first listener with `tls`; a number where clients see another one, such as 443 in front of a container. NGINX: `return 308 https://$host$request_uri`. HAProxy: `http-request redirect scheme https`.',
    ),
  proxyProtocol: z
    .array(peers)
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one address or range, such as 10.0.0.0/8, or unix' })
    .optional()
    .describe(
      'Addresses and CIDR ranges of load balancers, or `unix` for those on a Unix socket, that begin each connection with a header of the PROXY protocol, version 1 or 2, which says who the client is. They must; other peers cannot. Takes the `node` engine. NGINX: `listen … proxy_protocol` with `set_real_ip_from`. HAProxy: `bind … accept-proxy`.',
    ),
  ...socketFile,
  tls: listenerTls.optional().describe('Speaks HTTPS on the address. NGINX: `listen … ssl`. HAProxy: `bind … ssl`.'),
});

const admin = z.strictObject({
  address: listenAddress
    .default('127.0.0.1:9180')
    .describe(
      'Where `/metrics`, `/health`, `/ready` and `/status` answer. An address that is neither of this machine nor of a private network takes a `token`, or `insecure`. `unix:/path/to/socket` for a Unix socket, whose permissions then decide.',
    ),
  control: z
    .enum(['local', 'all', 'off'])
    .default('local')
    .describe(
      'From where requests that change something are taken (`POST /workers/roll`, `POST /upstreams/NAME/servers/SERVER/state`): `local` from this machine, `all` from everybody who reaches the address, `off` from nobody. HAProxy: `stats socket … level`.',
    ),
  token: textLike(
    /^[!-~]{16,256}$/,
    'at least 16 characters without spaces, such as what "openssl rand -hex 32" prints',
  )
    .optional()
    .describe(
      'Requests must have it: `Authorization: Bearer TOKEN`; without it they get 401, all but `/health` and `/ready`. It goes over the wire as it stands: for private networks. Best given as `${PORTICO_ADMIN_TOKEN}`, which the commands of Portico read, too. Prometheus: `authorization: { credentials_file: … }`.',
    ),
  insecure: z
    .boolean()
    .default(false)
    .describe(
      'Lets the listener be on an address that strangers may reach, without a `token`: something else keeps them away, such as a firewall or the network of the container.',
    ),
  ...socketFile,
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
    .register(keyFacts, atReplacement)
    .describe(
      'Most bytes in the request line and the fields together. A larger request is answered with 431. NGINX: `large_client_header_buffers`.',
    ),
  bodySize: size()
    .prefault('100MB')
    .describe(
      'Most bytes in a request body, unless the route has a `bodyLimit`. A larger request is answered with 413. NGINX: `client_max_body_size`.',
    ),
  minBodyRate: size({ max: 1024 ** 2 })
    .prefault('512B')
    .describe(
      'Bytes a second that a client must send of a request body on average, once `minBodyRateGrace` has passed. A slower one is answered with 408; `0B` lets it. Time in which Portico itself does not read does not count. NGINX: none. HAProxy: `timeout http-request`.',
    ),
  minBodyRateGrace: duration({ max: 3_600_000 })
    .prefault('30s')
    .describe('How long a request body may come as slowly as it likes. NGINX: none. HAProxy: none.'),
  minSendRate: size({ max: 1024 ** 2 })
    .prefault('512B')
    .describe(
      'Bytes a second that a client must take of a response on average, in the time in which Portico waited for it and beyond `minSendRateGrace`. The connection of a slower one is cut; `0B` lets it. On HTTP/2 all streams of a connection count together. NGINX: none. HAProxy: none.',
    ),
  minSendRateGrace: duration({ max: 3_600_000 })
    .prefault('30s')
    .describe('How long a client may take a response as slowly as it likes. NGINX: none. HAProxy: none.'),
  ...connectionLimits,
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
  request: z
    .union([z.literal(false), duration({ min: 1000 })])
    .default(false)
    .describe(
      'Longest time from the head of a request to the end of its response, WebSockets excepted. After it the connection is cut, of HTTP/2 the stream, and the log has status 504 unless the response had begun; `false` for any time. NGINX: none. HAProxy: none.',
    ),
  requestHead: duration({ min: 1000 })
    .prefault('10s')
    .describe(
      'Longest time in which the request line and the fields must come, on listeners of the `node` engine; the `uws` engine always takes 10 seconds. After it the connection is closed. NGINX: `client_header_timeout`. HAProxy: `timeout http-request`.',
    ),
  keepAlive: duration({ min: 1000 })
    .prefault('75s')
    .describe(
      'How long an idle connection waits for its next request, on listeners of the `node` engine; the `uws` engine always closes it after 10 seconds. Longer than the idle timeout of a load balancer in front (60 seconds mostly). NGINX: `keepalive_timeout`. HAProxy: `timeout http-keep-alive`.',
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
  maxHotFileSize: size({ max: 1024 ** 3 })
    .prefault('16MB')
    .describe(
      'Files larger than `maxFileSize` are kept in memory as well while they are asked for often, up to this size each and together in up to half of `size`; often is more than four times within 10 seconds. `0B` for none. NGINX: none, it sends with `sendfile`.',
    ),
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

const errorPages = z
  .record(textLike(/^([45]\d\d|[45]xx|maintenance)$/, 'a status such as 404, or 4xx, 5xx or maintenance'), file)
  .default({})
  .describe(
    'Pages for errors that Portico itself answers with, and for those of the application where a route says so (`interceptErrors`): the path of a file by status, `404`, or by class, `4xx` or `5xx`. `maintenance` is for the time in which every server of an upstream is in maintenance. Files of at most 1MB, read at start and reload. NGINX: `error_page`. HAProxy: `errorfile`.',
  );

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
  rateLimit: limitNames('rateLimits', 'limit_req'),
  concurrencyLimit: limitNames('concurrencyLimits', 'limit_conn'),
  access: siteAccess,
  securityHeaders,
  cors,
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
  user: account
    .optional()
    .register(keyFacts, atRestart)
    .describe(
      'User who the workers become, by name or number, once they have opened their ports: they alone meet what strangers send. The primary stays root: it opens ports and Unix sockets, reads keys, and makes folders and log files for them. Without root it is ignored, with a warning. A change takes a restart. NGINX: `user`. HAProxy: `user`.',
    ),
  group: accountGroup
    .optional()
    .register(keyFacts, atRestart)
    .describe('Group of the workers; that of `user` where it is left out. NGINX: `user`. HAProxy: `group`.'),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(1024)])
    .default('auto')
    .describe('How many worker processes serve; `auto` is one for each core. NGINX: `worker_processes`.'),
  workerMaxMemory: z
    .union([z.literal(false), size({ min: 64 * 1024 ** 2 })])
    .default(false)
    .describe(
      'Resident memory from which on a worker is replaced by a fresh one, without loss and one at a time: a guard against leaks. `false` for none. A worker begins with some 70MB. Gunicorn has `max_requests` for this, NGINX and HAProxy have nothing.',
    ),
  shutdownTimeout: duration()
    .prefault('30s')
    .describe('How long SIGTERM and SIGINT wait for requests in flight. NGINX: `worker_shutdown_timeout`.'),
  trustedProxies: z
    .array(peers)
    .register(keyFacts, { allowed: 'a list of addresses and ranges, such as 10.0.0.0/8, or unix' })
    .default([])
    .describe(
      'Addresses and CIDR ranges of the proxies in front of Portico, `unix` for every peer on a Unix socket. Only their X-Forwarded-*, Forwarded and X-Request-Id fields are believed. NGINX: `set_real_ip_from`.',
    ),
  log: log.prefault({}).describe('The log of events, on standard error. NGINX: `error_log`.'),
  accessLog: z
    .union([z.literal(false), accessLog])
    .prefault({})
    .describe('The log of requests; `false` for none. NGINX: `access_log`.'),
  limits: limits.prefault({}).describe('How much clients may send.'),
  rateLimits,
  concurrencyLimits,
  redis,
  timeouts: timeouts.prefault({}).describe('How long clients may take.'),
  fileCache: fileCache.prefault({}).describe('Memory for static files.'),
  caches,
  compression: compression
    .prefault({})
    .describe('What compressing may take, in each worker, where a route has `compress`.'),
  spool: spool.prefault({}).describe('Memory and files for bodies of requests and responses, in each worker.'),
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
