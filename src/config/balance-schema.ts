import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { fieldName, textLike } from './schema-values.ts';
import { duration } from './units.ts';

/* How servers are chosen. */

const cookieName = textLike(
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/,
  'the name of a cookie: at most 100 letters, digits and - . _',
);

const hash = z.strictObject({
  by: z
    .union([
      z.literal('address'),
      z.literal('path'),
      z.strictObject({ header: fieldName.describe('Name of the request field whose value is the key.') }),
      z.strictObject({ cookie: cookieName.describe('Name of the cookie whose value is the key.') }),
    ])
    .register(keyFacts, { allowed: 'address, path, a mapping with the key header, or one with the key cookie' })
    .default('address')
    .describe(
      'What requests of the same server have in common: the `address` of the client, the `path` without the query, a `header` or a `cookie`. Where a request has no such header or cookie, the address. NGINX: the key of `hash`. HAProxy: `balance source`, `uri`, `hdr`.',
    ),
  maxLoad: z
    .union([z.literal(false), z.number().min(1.05).max(10)])
    .register(keyFacts, { allowed: 'false or a number from 1.05 to 10' })
    .default(1.5)
    .describe(
      'How many times its share of the requests in flight a server may have in a worker; what is more goes to the next server. `false`: any number. HAProxy: `hash-balance-factor`.',
    ),
});

/** How the server of a request is chosen. */
export const balance = z
  .union([
    z.enum(['round-robin', 'least-requests', 'random-two', 'peak-ewma']),
    z.strictObject({
      hash: hash.describe(
        'The same key goes to the same server, in every worker; when a server leaves only its keys move. NGINX: `hash … consistent`. HAProxy: `hash-type consistent`.',
      ),
    }),
  ])
  .register(keyFacts, {
    allowed: 'round-robin, least-requests, random-two, peak-ewma, or a mapping with the key hash',
  })
  .default('round-robin')
  .describe(
    'How the server of a request is chosen. `round-robin`: in turn, by weight. `least-requests`: of two drawn servers the one with fewer requests in flight for its weight. `random-two`: the same, but weights decide how often a server is drawn. `peak-ewma`: of two the one that is likely to answer first, by its latency of late. A mapping with `hash`: by a key. NGINX: `least_conn`, `random two`, `hash`. HAProxy: `balance`.',
  );

/** How a client keeps its server. */
export const sticky = z
  .strictObject({
    cookie: cookieName.describe(
      'Name of the cookie that says which server a client has. NGINX: `sticky cookie`. HAProxy: `cookie … insert`.',
    ),
    secret: z
      .string()
      .min(16)
      .register(keyFacts, { allowed: 'text of at least 16 characters' })
      .optional()
      .describe(
        'Key that signs the cookie, so that nobody can make one up. The same on machines that share clients. Without it a random one is made at start: clients then get a server anew after a restart, though not after a reload.',
      ),
    maxAge: duration({ min: 1000 })
      .optional()
      .describe('How long the client keeps the cookie. Without it until the browser is closed. NGINX: `expires`.'),
    path: textLike(/^\/[\x21-\x3a\x3c-\x7e]*$/, 'a path such as /, without spaces and semicolons')
      .default('/')
      .describe('Path below which the client sends the cookie. NGINX: `path`.'),
    domain: textLike(/^[A-Za-z0-9.-]+$/, 'a domain such as example.com')
      .optional()
      .describe(
        'Domain to whose hosts the client sends the cookie. Without it only to the host itself. NGINX: `domain`.',
      ),
    secure: z
      .union([z.boolean(), z.literal('auto')])
      .default('auto')
      .describe('Whether the client sends it over HTTPS only. `auto`: where it came over HTTPS. NGINX: `secure`.'),
    httpOnly: z.boolean().default(true).describe('Hides it from scripts of the page. NGINX: `httponly`.'),
    sameSite: z
      .union([z.literal(false), z.enum(['lax', 'strict', 'none'])])
      .default('lax')
      .describe(
        'Whether it is sent with requests from other sites; `false` leaves it to the browser. NGINX: `samesite`.',
      ),
  })
  .describe(
    'Keeps each client at the server that it got first, by a signed cookie, as long as that takes requests; a server in `drain` keeps its clients. NGINX: `sticky`. HAProxy: `cookie`.',
  );
