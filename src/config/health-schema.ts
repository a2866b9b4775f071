import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { fieldName, fieldValue, textLike, textOf } from './schema-values.ts';
import { duration } from './units.ts';

const statusForm = /^[1-5]\d\d(?:-[1-5]\d\d)?$/;
const status = z.union([z.int().min(100).max(599), z.string().regex(statusForm)]);

/** `200`, `200-399`, or a list of these. */
const statuses = z
  .union([status, z.array(status)])
  .register(keyFacts, { allowed: 'a status, a range such as 200-399, or a list of these' });

function percent(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** Checks that the primary makes by itself. Keys of HTTP checks are optional: `tcp: true` takes none of them. */
export const health = z.strictObject({
  path: textLike(/^\/[\x21\x22\x24-\x7e]*$/, 'a path such as /healthz, with its query if it has one')
    .optional()
    .describe(
      'What is asked for; `/` when left out. NGINX: `health_check uri=` (commercial). HAProxy: `http-check send uri`.',
    ),
  method: z
    .enum(['GET', 'HEAD', 'OPTIONS'])
    .optional()
    .describe('Method of the request; `GET` when left out. NGINX: none. HAProxy: `http-check send meth`.'),
  host: textLike(/^[\x21-\x7e]+$/, 'the value of a Host field, such as example.com')
    .optional()
    .describe(
      'Host field of the request; the address of the server when left out. Django answers 400 to a host that is not in `ALLOWED_HOSTS`. NGINX: none. HAProxy: `http-check send hdr Host`.',
    ),
  headers: z
    .record(fieldName, fieldValue)
    .default({})
    .describe('Further fields of the request, name to value. NGINX: none. HAProxy: `http-check send hdr`.'),
  status: statuses
    .optional()
    .describe(
      'Statuses of a server that is well: a number, a range or a list of these; `200-399` when left out. NGINX: `match` with `status` (commercial). HAProxy: `http-check expect status`.',
    ),
  body: z
    .union([
      textOf('a text that the body contains, or a mapping with the key matches'),
      z.strictObject({
        matches: textOf('a regular expression').describe(
          'Regular expression of which the body contains a match; `^` and `$` stand for the ends of a line. It is stopped after 50 ms.',
        ),
      }),
    ])
    .register(keyFacts, { allowed: 'a text that the body contains, or a mapping with the key matches' })
    .optional()
    .describe(
      'What the first 64 KB of the body contain besides. NGINX: `match` with `body` (commercial). HAProxy: `http-check expect string`, `rstring`.',
    ),
  tcp: z
    .boolean()
    .default(false)
    .describe(
      'Checks only that a connection opens; nothing is sent. NGINX: `health_check` in `stream` (commercial). HAProxy: `check` alone.',
    ),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe(
      'Port that is checked in the place of the one for requests. NGINX: `health_check port=` (commercial). HAProxy: `port`.',
    ),
  interval: duration({ min: 100, max: 3_600_000 })
    .prefault('2s')
    .describe(
      'From one check of a server to the next. One that is down is checked `rise` times as often, so that it is back within one interval. NGINX: `health_check interval=` (commercial). HAProxy: `inter`.',
    ),
  timeout: duration({ min: 10, max: 60_000 })
    .prefault('1s')
    .describe(
      'Longest time from connecting to the end of the answer; a check that takes longer has failed. NGINX: none. HAProxy: `timeout check`.',
    ),
  rise: z
    .int()
    .min(1)
    .max(10)
    .default(2)
    .describe(
      'Passed checks in a row that bring a server back. NGINX: `health_check passes=` (commercial). HAProxy: `rise`.',
    ),
  fall: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe(
      'Failed checks in a row that take a server out. NGINX: `health_check fails=` (commercial). HAProxy: `fall`.',
    ),
  jitter: percent(0, 50)
    .default(10)
    .describe(
      'By how many percent the time between two checks may be shorter, at random, so that checks do not come in waves. NGINX: `health_check jitter=` (commercial). HAProxy: `spread-checks`.',
    ),
  startAs: z
    .enum(['up', 'down'])
    .default('up')
    .describe(
      'What counts until the first check of a server is over. The first check decides alone. NGINX: `health_check mandatory` (commercial). HAProxy: `init-state`.',
    ),
});

/** What requests themselves tell about a server. */
export const passiveHealth = z.strictObject({
  consecutiveFailures: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe(
      'Failures in a row after which a server is ejected: connections refused, reset or timed out, broken answers, and the statuses of `status`. NGINX: `max_fails`. HAProxy: `observe layer7`, `error-limit`.',
    ),
  errorRate: percent(1, 100)
    .default(50)
    .describe('Percent of the requests within `window` that must fail for a server to be ejected.'),
  minRequests: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20)
    .describe('Requests to a server within `window` below which `errorRate` says nothing.'),
  window: duration({ min: 100, max: 3_600_000 })
    .prefault('10s')
    .describe('Time over which the error rate is measured. NGINX: `fail_timeout`.'),
  ejectionTime: duration({ min: 100, max: 3_600_000 })
    .prefault('1s')
    .describe(
      'How long an ejected server gets no requests. The time doubles at each further ejection, and one doubling is forgotten for each `maxEjectionTime` in service. NGINX: `fail_timeout`. HAProxy: `on-error`.',
    ),
  maxEjectionTime: duration({ min: 100, max: 3_600_000 }).prefault('30s').describe('Longest ejection.'),
  maxEjected: percent(0, 100)
    .default(50)
    .describe(
      'Percent of the servers of the upstream that may be ejected at a time, rounded down. The last server that takes requests is never ejected.',
    ),
  status: statuses
    .default([])
    .describe(
      'Statuses of the application that count as failures, such as `500-599`: a number, a range or a list of these. None unless configured, because an error of the application is often one of a single page. NGINX: `proxy_next_upstream http_500`. HAProxy: `observe layer7`.',
    ),
});
