import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { fieldName, fieldValue, label, textLike, textOf } from './schema-values.ts';

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
  .describe('Status of refusals. NGINX: `limit_req_status` (503 there). HAProxy: `deny_status`.');

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

export const rateLimits = z
  .record(zoneName, rateLimit)
  .default({})
  .describe('Limits of request rates, by name, for `rateLimit` of sites and routes. NGINX: `limit_req_zone`.');

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
