import { z } from 'zod';
import {
  circuitBreaker,
  maxConnections,
  queue,
  retry,
  waitForUpstream,
  waitForUpstreamMax,
} from './admission-schema.ts';
import { balance, sticky } from './balance-schema.ts';
import { health, passiveHealth } from './health-schema.ts';
import { keyFacts } from './key-facts.ts';
import { folder, serverUrl, textOf } from './schema-values.ts';
import { duration, size } from './units.ts';
import { upstreamTls } from './upstream-tls-schema.ts';

const server = z.strictObject({
  url: serverUrl.describe(
    '`http://host:port`, `https://host:port` for TLS, `host:port`, `unix:/path/to/socket`, or `srv://_http._tcp.app.example` for every server that the SRV records of the name tell, with their weights; those of a later priority are backups of the earlier ones. NGINX: `server` in `upstream`, `service=`. HAProxy: `server-template`.',
  ),
  weight: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe(
      'Share of the requests, relative to the other servers of the upstream. NGINX: `weight`. HAProxy: `weight`.',
    ),
  maxConnections,
  backup: z
    .boolean()
    .default(false)
    .describe(
      'Whether the server is used only while none of the others takes requests. NGINX: `backup`. HAProxy: `backup`.',
    ),
  perAddress: z
    .boolean()
    .default(false)
    .describe(
      'Makes every address of a name a server of its own, with its own weight, bounds and health. Otherwise the name is one server whose addresses take turns. NGINX: `resolve`. HAProxy: `server-template`.',
    ),
  state: z
    .enum(['ready', 'drain', 'maintenance'])
    .default('ready')
    .describe(
      '`drain` gives the server no new requests but those of its sticky sessions; `maintenance` gives it none at all. Requests in flight finish. NGINX: `drain`, `down`. HAProxy: `set server … state`, `disabled`.',
    ),
});

/** A group of application servers. */
export const upstream = z.strictObject({
  servers: z
    .array(z.union([serverUrl, server]))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one server: a URL, or a mapping with the key url and others' })
    .describe(
      'The instances of the application: URLs, or mappings of `url` and what else is said of it. NGINX: `server` in `upstream`.',
    ),
  tls: upstreamTls
    .optional()
    .describe(
      'TLS to the servers, where they are `https://`; written down for sockets and `srv://` names it makes them speak TLS. The servers of an upstream speak it all or none. NGINX: `proxy_pass https://…`. HAProxy: `server … ssl`.',
    ),
  proxyProtocol: z
    .enum(['v1', 'v2'])
    .optional()
    .describe(
      'Begins each connection to the servers with a header of the PROXY protocol in that version, which says who the client is; before TLS, where there is some. Such a connection carries one request, because the next one may be of another client. Health checks say that they come from Portico itself. NGINX: `proxy_protocol on` (of streams). HAProxy: `send-proxy`, `send-proxy-v2`.',
    ),
  balance,
  sticky: sticky.optional(),
  resolver: z
    .strictObject({
      servers: z
        .array(textOf('an address such as 10.0.0.2 or 10.0.0.2:5353'))
        .min(1)
        .register(keyFacts, { allowed: 'a list of at least one address, such as 10.0.0.2 or 10.0.0.2:5353' })
        .optional()
        .describe(
          'Name servers. Without it names are looked up as the system does, /etc/hosts included. NGINX: `resolver`. HAProxy: `nameserver`.',
        ),
      timeout: duration({ min: 100, max: 60_000 })
        .prefault('5s')
        .describe(
          'Longest time that the name servers given here have to answer. NGINX: `resolver_timeout`. HAProxy: `timeout resolve`.',
        ),
      serviceInterval: duration({ min: 100, max: 3_600_000 })
        .prefault('10s')
        .describe(
          'Pause between two look-ups of an SRV name, whose time to live is not known. Addresses are looked up anew when their time to live is over, after 1s at the earliest and 60s at the latest. NGINX: `resolver … valid=`. HAProxy: `hold valid`.',
        ),
    })
    .prefault({})
    .describe('How the names of the servers are looked up. A name that does not resolve is tried again and again.'),
  slowStart: duration({ max: 3_600_000 })
    .prefault('0s')
    .describe(
      'In which time the weight of a server grows from nothing to its whole when it comes back or is new among others. `0s`: it has all of it at once. `hash` does not heed it. NGINX: `slow_start`. HAProxy: `slowstart`.',
    ),
  failBackoff: duration({ min: 100, max: 600_000 })
    .prefault('1s')
    .describe(
      'How long a server that refused a connection is passed over. The time doubles at each further refusal, up to 30s. When all servers refuse they are tried all the same, see `waitForUpstream`. NGINX: `fail_timeout`.',
    ),
  health: health
    .optional()
    .describe(
      'Checks by the primary that decide which servers get requests; none unless configured. NGINX: `health_check` (commercial). HAProxy: `option httpchk`, `check`.',
    ),
  passiveHealth: z
    .union([z.literal(false), passiveHealth])
    .prefault({})
    .describe(
      'Takes servers out for a while that fail requests; each worker decides by what it sees. `false`: never. NGINX: `max_fails`. HAProxy: `observe`, `error-limit`.',
    ),
  queue,
  waitForUpstream,
  waitForUpstreamMax,
  retry,
  circuitBreaker: circuitBreaker.optional(),
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
          'Longest time to open a connection, TLS included. After it the next server is tried; without one the request waits, see `waitForUpstream`, and then the answer is 504. NGINX: `proxy_connect_timeout`.',
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
  directives: z
    .strictObject({
      redirect: z
        .boolean()
        .default(false)
        .describe(
          'Obeys X-Accel-Redirect: the response comes from the `internal` route of the site that the path in it leads to. NGINX: `proxy_ignore_headers X-Accel-Redirect` for the contrary. HAProxy: none.',
        ),
      sendfile: folder
        .optional()
        .describe(
          'Obeys X-Sendfile, an absolute path, for files in this folder. Without it the field is not obeyed. NGINX: none; Apache: `XSendFilePath`. HAProxy: none.',
        ),
      buffering: z
        .boolean()
        .default(true)
        .describe(
          'Obeys X-Accel-Buffering: `no` passes a response on as it comes, `yes` collects it. NGINX: `proxy_ignore_headers X-Accel-Buffering` for the contrary. HAProxy: none.',
        ),
      limitRate: z
        .boolean()
        .default(false)
        .describe(
          'Obeys X-Accel-Limit-Rate: bytes a second with which the response is sent, 0 for no bound. NGINX: `proxy_ignore_headers X-Accel-Limit-Rate` for the contrary. HAProxy: `set-bandwidth-limit`.',
        ),
    })
    .prefault({})
    .describe(
      'Which instructions in its responses the application is obeyed in. Whether obeyed or not, X-Accel-* and X-Sendfile never reach clients.',
    ),
  maxResponseHead: size({ min: 1024, max: 1024 ** 2 })
    .prefault('64KB')
    .describe('Most bytes in the head of a response. A larger one is answered with 502. NGINX: `proxy_buffer_size`.'),
});
