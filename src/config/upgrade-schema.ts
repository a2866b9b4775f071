import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { textLike } from './schema-values.ts';
import { duration } from './units.ts';

/** Most protocols of a route: each is compared with what clients ask for. */
const maxProtocols = 16;

/** Connections of a proxy route that go on with another protocol. */
export const routeUpgrade = z
  .union([
    z.literal(false),
    z.strictObject({
      protocols: z
        .array(
          // RFC 9110 section 7.8.
          textLike(
            /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64})?$/,
            'the name of a protocol, with its version where it has one: tcp, spdy/3.1',
          ),
        )
        .min(1)
        .max(maxProtocols)
        .register(keyFacts, { allowed: `a list of 1 to ${maxProtocols} protocols, such as [tcp, spdy/3.1]` })
        .describe(
          'Protocols that clients may go on with when the application agrees with 101: as in the Upgrade field, versions included, in any case. Never `h2c`, `http`, `tls` or `websocket`. NGINX: `proxy_set_header Upgrade`.',
        ),
      idleTimeout: duration({ min: 1000 })
        .prefault('1h')
        .describe(
          'A tunnel through which nothing has gone for so long, either way, is cut; Portico cannot ask in a protocol that it does not know. NGINX: `proxy_read_timeout`. HAProxy: `timeout tunnel`.',
        ),
      maxOpen: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(1000)
        .describe(
          'Most tunnels of the route open at a time in each worker, those being asked for among them; further requests for one are answered with 503. NGINX: none. HAProxy: none.',
        ),
    }),
  ])
  .default(false)
  .describe(
    'Protocols besides WebSocket that connections may be taken over by: to the Docker API, to SPDY of Kubernetes, to one of your own. What goes through such a tunnel no limit, log or check sees, so that none is let through unless it is named here. Makes every listener with `engine: auto` one of the `node` engine. NGINX: `proxy_set_header Upgrade` and `proxy_http_version 1.1`. HAProxy: always on.',
  );
