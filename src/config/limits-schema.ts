import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { fieldName, fieldValue, label, textLike, textOf } from './schema-values.ts';
import { duration, size } from './units.ts';

/** A name that needs no escaping in a structured field (RFC 9651 section 3.3.3), where clients read it. */
const zoneName = textLike(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'a name of at most 64 letters, digits and _ . -');

const keyPart = z.union([
  z.enum(['address', 'host', 'route', 'site']),
  z.strictObject({ header: fieldName.describe('Value of this field.') }),
  z.strictObject({
    cookie: textLike(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'the name of a cookie').describe('Value of this cookie.'),
  }),
]);

const key = z
  .union([keyPart, z.array(keyPart).min(1).max(8)])
  .register(keyFacts, {
    allowed: 'address, host, route, site, { header: NAME }, { cookie: NAME }, or a list of up to 8 of these',
  })
  .default('address')
  .describe(
    'What requests are counted by: `address` of the client (IPv6 by its first 64 bits), `host`, `route`, `site`, `{ header: NAME }`, `{ cookie: NAME }`, or several of these together as a list. Where the header or cookie is missing, the address counts in its place. Clients can make up headers and cookies: have a second zone by address beside them. NGINX: the key of `limit_req_zone`. HAProxy: `track-sc0`.',
  );

const status = z
  .int()
  .min(400)
  .max(599)
  .default(429)
  .describe('Status of refusals. NGINX: `limit_req_status`, `limit_conn_status` (503 there). HAProxy: `deny_status`.');

const dryRun = z
  .boolean()
  .default(false)
  .describe('Refuses nothing, and counts and logs what it would refuse. NGINX: `limit_req_dry_run`.');

const exempt = z
  .array(textOf('an address such as 10.0.0.1 or a range such as 10.0.0.0/8'))
  .register(keyFacts, { allowed: 'a list of addresses and ranges, such as 10.0.0.0/8' })
  .default([])
  .describe('Addresses and CIDR ranges of clients that are not counted. NGINX: `geo` with an empty key.');

const exemptHeaders = z
  .record(fieldName, fieldValue)
  .default({})
  .describe(
    'Clients whose requests have one of these fields with this value, a secret, are not counted. Compared in constant time. NGINX: `map` with an empty key.',
  );

const rateLimit = z.strictObject({
  key,
  shared: z
    .boolean()
    .default(false)
    .describe(
      'Counts together with other machines, in Redis (`redis`): each tells what it counted and hears of the others within some 50 ms; no request waits for it. While Redis is away each machine counts alone. NGINX (commercial): `sync`. HAProxy: `peers`.',
    ),
  rate: textLike(/^\d{1,7}(\.\d{1,3})?r\/[smhd]$/, 'a rate such as 10r/s, 300r/m, 1000r/h or 5000r/d').describe(
    'Requests a second, minute, hour or day that a key may make in the long run, over all workers together. At most 1000000r/s. NGINX: `rate=`. HAProxy: `http_req_rate`.',
  ),
  burst: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe(
      'Requests that may come ahead of the rate; they are served at once, none is delayed. Without it as many as come in a second at that rate, one at least. NGINX: `burst= nodelay`.',
    ),
  keys: z
    .int()
    .min(1024)
    .max(2 ** 24)
    .default(65_536)
    .describe(
      'Keys that are remembered, in each worker; 20 bytes each. When all of them are in debt at once, new ones share the debt of others, so that a flood of keys makes none forgotten. NGINX: `zone=…:10m`. HAProxy: `stick-table size`.',
    ),
  status,
  dryRun,
  exempt,
  exemptHeaders,
  fields: z
    .enum(['refused', 'all', 'none'])
    .default('refused')
    .describe(
      'Which responses carry RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): refusals, `all`, or `none`. Retry-After comes with every refusal. NGINX: none. HAProxy: none.',
    ),
});

/** Where machines share counts. */
export const redis = z
  .strictObject({
    url: textLike(/^rediss?:\/\/[^\s]+$/, 'redis://host:port or rediss://user:password@host:port/database').describe(
      'Where Redis is: `redis://[user:password@]host[:port][/database]`, `rediss://` with TLS.',
    ),
    prefix: textLike(/^[\x21-\x7e]{0,64}$/, 'at most 64 characters without spaces')
      .default('portico:')
      .describe('What the keys in Redis begin with.'),
    secret: textOf('a secret of some length')
      .optional()
      .describe(
        'What keys of clients are hashed with, the same on all machines. Without it the `url`. Changing it, or the `url` without it, replaces the workers.',
      ),
    interval: duration({ min: 1, max: 10_000 })
      .prefault('20ms')
      .describe('How long counts are gathered before they are sent.'),
    timeout: duration({ min: 1, max: 60_000 })
      .prefault('250ms')
      .describe('How long Redis may take to answer; after it each machine counts alone.'),
  })
  .optional()
  .describe('The Redis server that `rateLimits` with `shared: true` are counted in. NGINX: none. HAProxy: `peers`.');

export const rateLimits = z
  .record(zoneName, rateLimit)
  .default({})
  .describe('Limits of request rates, by name, for `rateLimit` of sites and routes. NGINX: `limit_req_zone`.');

const concurrencyLimit = z.strictObject({
  key,
  limit: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe(
      'Requests that a key may have under way at a time, over all workers together (which hear of each other every 25 ms). An open WebSocket is one, too. NGINX: `limit_conn`. HAProxy: `sc_conn_cur`.',
    ),
  status,
  dryRun,
  exempt,
  exemptHeaders,
});

export const concurrencyLimits = z
  .record(zoneName, concurrencyLimit)
  .default({})
  .describe(
    'Limits of requests at a time, by name, for `concurrencyLimit` of sites and routes. NGINX: `limit_conn_zone`.',
  );

const count = z.int().min(1).max(10_000_000);
const countOrNone = z.union([z.literal(false), count]).default(false);

/** Keys of `limits` about heads and connections. */
export const connectionLimits = {
  uriLength: size({ min: 256, max: 1024 ** 2 })
    .prefault('16KB')
    .describe(
      'Most bytes in the target of a request, path and query. A longer one is answered with 414. NGINX: `large_client_header_buffers`. HAProxy: `tune.http.maxuri`.',
    ),
  headerCount: z
    .int()
    .min(10)
    .max(10_000)
    .default(100)
    .describe(
      'Most fields in the header of a request; more are answered with 431. The `uws` engine takes 98 at most. NGINX: `max_headers`. HAProxy: `tune.http.maxhdr`.',
    ),
  connections: countOrNone.describe(
    'Most connections of clients at a time, over all workers together (which hear of each other every 25 ms). Further ones are closed at once; `false` for as many as there are descriptors. NGINX: `worker_connections`. HAProxy: `maxconn`.',
  ),
  connectionsPerAddress: countOrNone.describe(
    'Most connections of one address at a time (IPv6: of its first 64 bits), over all workers together; `false` for any number. Further ones are closed at once. Not for listeners behind a load balancer, whose address they all have. The `uws` engine counts by the table of the kernel (Linux). NGINX: `limit_conn`. HAProxy: `src_conn_cur`.',
  ),
  requestsPerConnection: countOrNone.describe(
    'Most requests on one HTTP/1 connection, on listeners of the `node` engine; the last is answered with `Connection: close`. `false` for any number. NGINX: `keepalive_requests`. HAProxy: none.',
  ),
  http2Streams: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe(
      'Most requests under way at a time on one HTTP/2 connection; further ones are refused so that the client may send them again. NGINX: `http2_max_concurrent_streams`. HAProxy: `tune.h2.fe.max-concurrent-streams`.',
    ),
  http2Resets: z
    .int()
    .min(1)
    .max(100_000)
    .default(40)
    .describe(
      'Requests a second that a client may take back on one HTTP/2 connection, and five times as many at once; pings, settings and what else costs work and brings nobody anything count as well. Beyond it the connection is ended (ENHANCE_YOUR_CALM). NGINX: none. HAProxy: `tune.h2.fe.glitches-threshold`.',
    ),
  descriptorReserve: z
    .int()
    .min(8)
    .max(1_000_000)
    .default(64)
    .describe(
      'File descriptors of each worker that connections of clients leave to connections upstream, files and logs; a quarter of them (`RLIMIT_NOFILE`) at most. When there are fewer, new connections are closed at once. NGINX: none. HAProxy: none.',
    ),
  memoryPercent: z
    .union([z.literal(false), z.int().min(10).max(100)])
    .default(95)
    .describe(
      'Part of its bound up to which memory may be in use, that of the container (cgroup) and the heap of a worker; beyond it new connections are closed at once. `false` to let them. NGINX: none. HAProxy: none.',
    ),
};

/** Which of the named limits hold. */
export function limitNames(table: string, nginx: string) {
  const allowed = `the name of one of ${table}, a list of such names, or false`;
  return z
    .union([z.literal(false), label, z.array(label).max(8)])
    .register(keyFacts, { allowed })
    .optional()
    .describe(
      `Names of \`${table}\` that hold for the requests: one, or a list of up to 8. A route's come in the place of its site's; \`false\` is none. NGINX: \`${nginx}\`.`,
    );
}
