import { z } from 'zod';
import { cacheDefaults, zoneDefaults } from './cache-defaults.ts';
import { keyFacts } from './key-facts.ts';
import { fieldName, folder, textLike } from './schema-values.ts';
import { duration, formatDuration, formatSize, size } from './units.ts';

/** Names of cookies and parameters; a `*` at the end stands for anything. */
const cookieName = textLike(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'the name of a cookie, such as sessionid');
const parameterName = textLike(/^[^\s&=#?]+$/, 'the name of a query parameter, or its beginning and a *');
const zoneName = textLike(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/, 'a name of at most 64 letters, digits, _ and -');
const cacheName = textLike(/^[A-Za-z*][A-Za-z0-9*_.:/-]{0,63}$/, 'a name such as portico or edge-1');
const languageRange = textLike(/^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/, 'a language such as en or pt-BR');

const bypass = z.strictObject({
  cookies: z
    .array(cookieName)
    .default([])
    .describe(
      'Names of cookies, such as `sessionid`; a `*` at the end stands for anything. NGINX: `proxy_cache_bypass $cookie_sessionid` and `proxy_no_cache`. Varnish: `return (pass)`.',
    ),
  headers: z
    .array(fieldName)
    .default([])
    .describe('Names of request fields. NGINX: `proxy_cache_bypass $http_…` and `proxy_no_cache`.'),
  query: z
    .array(parameterName)
    .default([])
    .describe(
      'Names of query parameters, such as `preview`; a `*` at the end stands for anything. NGINX: `proxy_cache_bypass $arg_…` and `proxy_no_cache`.',
    ),
});

const keyQuery = z
  .union([
    z.boolean(),
    z.strictObject({
      only: z.array(parameterName).min(1).optional().describe('Only these; a `*` at the end stands for anything.'),
      except: z
        .array(parameterName)
        .min(1)
        .optional()
        .describe('All but these, such as `utm_*`; a `*` at the end stands for anything.'),
    }),
  ])
  .register(keyFacts, { allowed: 'true, false, or one list: only or except' });

const key = z.strictObject({
  host: z.boolean().default(true).describe('Whether the host counts. `false` where all hosts show the same.'),
  query: keyQuery
    .default(true)
    .describe('Which parameters of the query count: all of them (`true`), none (`false`), some, or all but some.'),
  sortQuery: z
    .boolean()
    .default(false)
    .describe('Whether the order of the parameters does not count. Varnish: `std.querysort`.'),
  headers: z
    .array(fieldName)
    .default([])
    .describe('Request fields that count in addition. What the application says with Vary counts anyway.'),
  cookies: z.array(cookieName).default([]).describe('Cookies that count in addition.'),
});

const heuristic = z.strictObject({
  share: z
    .int()
    .min(1)
    .max(100)
    .default(cacheDefaults.heuristicShare)
    .describe('Percent of the time since the last change.'),
  max: duration().prefault(formatDuration(cacheDefaults.heuristicMax)).describe('Longest lifetime that is guessed.'),
});

const vary = z.strictObject({
  acceptEncoding: z
    .boolean()
    .default(true)
    .describe(
      'Sends one of few forms of Accept-Encoding upstream, so that clients that write it differently share a response. Varnish: on by default.',
    ),
  acceptLanguage: z
    .array(languageRange)
    .min(1)
    .optional()
    .describe(
      'The languages that the application speaks, the fallback first: the best one for the client stands in the place of its Accept-Language. Without it every spelling of Accept-Language is a response of its own.',
    ),
});

const rules = z.strictObject({
  zone: zoneName.default('default').describe('Where responses are kept: a name of `caches`. NGINX: `proxy_cache`.'),
  ttl: duration()
    .prefault(formatDuration(cacheDefaults.ttl))
    .describe(
      'Lifetime of responses that say nothing about their own (neither Cache-Control nor Expires). `0s` stores none of them. NGINX: `proxy_cache_valid`. Varnish: `default_ttl`.',
    ),
  ttlByStatus: z
    .record(textLike(/^[2345]\d\d$/, 'a status such as 404'), duration())
    .default({})
    .describe('The same for some statuses, such as `404: 10s`. NGINX: `proxy_cache_valid 404 10s`.'),
  heuristic: z
    .union([z.boolean(), heuristic])
    .default(false)
    .describe(
      'Guesses the lifetime of responses that say nothing but have a Last-Modified (RFC 9111 section 4.2.2): what has not changed for long will not change soon. `true` for a tenth of that time, at most a day.',
    ),
  obeyRequest: z
    .boolean()
    .default(false)
    .describe(
      'Whether Cache-Control and Pragma of requests count. Otherwise no client can make the cache ask the application. NGINX: never.',
    ),
  storeSetCookie: z
    .boolean()
    .default(false)
    .describe(
      'Stores responses with Set-Cookie, without these fields. Otherwise they are not stored. NGINX: `proxy_ignore_headers Set-Cookie` (which stores the cookies, too).',
    ),
  staleWhileRevalidate: duration()
    .prefault(formatDuration(cacheDefaults.staleWhileRevalidate))
    .describe(
      'How long after its lifetime a response is still used while it is fetched anew in the background, where it says nothing itself (RFC 5861). NGINX: `proxy_cache_background_update`. Varnish: `default_grace`.',
    ),
  staleIfError: duration()
    .prefault(formatDuration(cacheDefaults.staleIfError))
    .describe(
      'How long after its lifetime a response is still used when the application fails or is not there, where it says nothing itself (RFC 5861). NGINX: `proxy_cache_use_stale`. Varnish: `default_grace`.',
    ),
  bypass: bypass
    .prefault({})
    .describe('Requests with one of these go past the cache: neither answered from it nor stored.'),
  key: key.prefault({}).describe('What makes two requests the same. NGINX: `proxy_cache_key`. Varnish: `vcl_hash`.'),
  vary: vary.prefault({}).describe('What of the fields counts that the application names in Vary.'),
  maxEntry: size({ min: 1024 })
    .prefault(formatSize(cacheDefaults.maxEntry))
    .describe('Responses with a larger body are not stored. NGINX: `proxy_max_temp_file_size`.'),
  collapse: duration({ max: 600_000 })
    .prefault(formatDuration(cacheDefaults.collapse))
    .describe(
      'How long a request waits for another one that fetches the same, in whatever worker, before it goes to the application itself. `0s` never waits. NGINX: `proxy_cache_lock`, `proxy_cache_lock_timeout`.',
    ),
  cacheStatus: z
    .union([z.boolean(), cacheName])
    .default(true)
    .describe(
      'Sends Cache-Status (RFC 9211), which says what the cache did; a name in the place of `portico` where several caches stand in a row. NGINX: `$upstream_cache_status`.',
    ),
  xCache: z
    .boolean()
    .default(false)
    .describe('Sends X-Cache as well: HIT, MISS, STALE, REVALIDATED, EXPIRED or BYPASS.'),
  targeted: z
    .boolean()
    .default(true)
    .describe(
      'Whether CDN-Cache-Control (RFC 9213) and Surrogate-Control count before Cache-Control: what the application says to caches on its own side alone.',
    ),
});

/** What a proxied route says about caching. */
export const routeCache = z
  .union([z.boolean(), rules])
  .default(false)
  .describe(
    'Keeps responses of the application and answers later requests with them, as far as their fields allow it (RFC 9111); only with `proxy`. `true` for the defaults, which store nothing that does not say itself how long it may be used. NGINX: `proxy_cache`. HAProxy: `cache-use`, `cache-store`.',
  );

const purge = z.strictObject({
  allow: z
    .array(textLike(/^[0-9A-Fa-f.:/]+$/, 'an address such as 10.0.0.1 or a range such as 10.0.0.0/8'))
    .default([])
    .describe(
      'Addresses and CIDR ranges of clients that may. NGINX: `proxy_cache_purge` (commercial). Varnish: an `acl`.',
    ),
});

const zone = z.strictObject({
  directory: z
    .union([z.literal(false), folder])
    .optional()
    .describe(
      'Folder in which the zone has one of its own, on a local disk; made where it is missing. `false` keeps responses in memory alone, each worker its own. Without it `/var/cache/portico`, or where that cannot be written a folder of the user in `/var/tmp`. NGINX: `proxy_cache_path`.',
    ),
  diskSize: size({ min: 1024 ** 2 })
    .prefault(formatSize(zoneDefaults.diskSize))
    .describe('Most bytes on disk. Beyond it what was not used for the longest time goes. NGINX: `max_size`.'),
  memorySize: size()
    .prefault(formatSize(zoneDefaults.memorySize))
    .describe('Most bytes in memory, in each worker. HAProxy: `total-max-size`. Varnish: `-s malloc`.'),
  memoryEntry: size({ max: 64 * 1024 ** 2 })
    .prefault(formatSize(zoneDefaults.memoryEntry))
    .describe('Responses with a larger body are not held in memory. HAProxy: `max-object-size`.'),
  inactive: duration({ min: 1000 })
    .prefault(formatDuration(zoneDefaults.inactive))
    .describe(
      'What was not used for so long goes, fresh or not. NGINX: `inactive` of `proxy_cache_path`. Varnish: `default_keep`.',
    ),
  purge: purge
    .prefault({})
    .describe(
      'Takes requests with the method PURGE, which remove what is stored for their URL. From nowhere unless addresses are named; `portico purge` and the admin listener need no such thing.',
    ),
});

/** Zones by name. */
export const caches = z
  .record(zoneName, zone)
  .default({})
  .describe(
    'Where responses are kept, by name; routes choose one with `cache.zone`. `default` is there without being written down. NGINX: `proxy_cache_path`. HAProxy: `cache`.',
  );
