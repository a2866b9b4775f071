import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { duration } from './units.ts';

/** Most requests at a time that one server gets. */
export const maxConnections = z
  .int()
  .min(1)
  .max(1_000_000)
  .optional()
  .describe(
    'Most requests that the server works on at a time, over all workers together: as many as the processes times the threads of the application. What comes beyond waits in `queue`. Without it there is no bound. NGINX: `max_conns`. HAProxy: `maxconn`.',
  );

/** Where requests wait for servers that are busy. */
export const queue = z
  .strictObject({
    size: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(1000)
      .describe(
        'Most requests that wait, in each worker. Further ones are answered with 503 at once. NGINX (commercial): `queue`. HAProxy: `maxqueue`.',
      ),
    timeout: duration({ min: 1 })
      .prefault('30s')
      .describe(
        'Longest time that a request waits; then it is answered with 503. NGINX (commercial): `queue timeout=`. HAProxy: `timeout queue`.',
      ),
  })
  .prefault({})
  .describe('Where requests wait while every server is at its `maxConnections`: first come, first served.');

export const waitForUpstream = duration()
  .prefault('10s')
  .describe(
    'How long a request of which nothing was sent yet waits while no server is up, as during a restart of the application. It goes out the moment a server is back; else it fails with the last error. `0s`: it fails at once. NGINX: none. HAProxy: `retries` with `option redispatch` come near.',
  );

export const waitForUpstreamMax = z
  .int()
  .min(0)
  .max(1_000_000)
  .default(1000)
  .describe(
    'Most requests that wait for a server to be back, in each worker. Further ones are answered with 503 at once. NGINX: none. HAProxy: `maxqueue` comes near.',
  );

/** What a request may be sent again for when nothing of a response has been passed on. */
const retryReason = z.union([z.enum(['connect', 'reset', 'timeout']), z.literal(502), z.literal(503), z.literal(504)]);

export const retry = z
  .strictObject({
    on: z
      .array(retryReason)
      .register(keyFacts, { allowed: 'a list of connect, reset, timeout, 502, 503, 504' })
      .default(['connect', 'reset'])
      .describe(
        'What a request is tried again for. `connect`: no connection was made, so that nothing was sent; `reset`: the connection died before the first byte of a response; `timeout`: none came within `timeouts.response`; `502`, `503`, `504`: the application answered so. All but `connect` only for GET, HEAD, OPTIONS, TRACE, PUT and DELETE whose body, if any, was kept; timeouts and statuses only at another server. NGINX: `proxy_next_upstream`. HAProxy: `retry-on`.',
      ),
    attempts: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe(
        'Most times that a request is sent. Connections that were refused do not count: no server is asked twice. NGINX: `proxy_next_upstream_tries`. HAProxy: `retries`.',
      ),
    budget: z
      .int()
      .min(0)
      .max(1000)
      .default(20)
      .describe(
        'Most requests that are sent again, in percent of the requests of the last ten seconds, in each worker; 100 in ten seconds are allowed in any case. Refused connections do not count. NGINX: none. HAProxy: none.',
      ),
  })
  .prefault({})
  .describe('When a request that failed is tried again.');

/** Fails requests fast while too many fail anyway. */
export const circuitBreaker = z
  .strictObject({
    errorRate: z
      .int()
      .min(1)
      .max(100)
      .default(50)
      .describe('Percent of the requests of the window that must fail for the circuit to open. NGINX: none.'),
    window: duration({ min: 100, max: 3_600_000 })
      .prefault('10s')
      .describe('Time over which requests are counted. NGINX: none.'),
    minRequests: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe('With fewer requests in the window the circuit stays closed. NGINX: none.'),
    openFor: duration({ min: 100, max: 3_600_000 })
      .prefault('10s')
      .describe('How long requests fail at once before some are let through as probes. NGINX: none.'),
    probes: z
      .int()
      .min(1)
      .max(1000)
      .default(3)
      .describe('Requests that must succeed, after that time, for the circuit to close again. NGINX: none.'),
  })
  .describe(
    'Answers with 503 at once while too many requests fail: with a status from 500 on, or without a response. Each worker decides by what it sees. None unless configured; `{}` takes the defaults. NGINX: none. HAProxy: `observe layer7` with `on-error` comes near.',
  );
