import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { textOf } from './schema-values.ts';

const addressRange = textOf('an address such as 10.0.0.1, a range such as 10.0.0.0/8, or unix');

/** Who may ask for something. */
export const access = z.strictObject({
  allow: z
    .array(addressRange)
    .register(keyFacts, { allowed: 'a list of addresses and ranges, such as 10.0.0.0/8' })
    .optional()
    .describe(
      "Addresses and CIDR ranges that clients may come from, `unix` for those on a Unix socket. When there is one, everybody else is denied (403). Of several ranges the narrowest counts, whatever their order. The address is the client's as far as `trustedProxies` lets it be believed. NGINX: `allow`. HAProxy: `http-request deny unless { src … }`.",
    ),
  deny: z
    .array(addressRange)
    .register(keyFacts, { allowed: 'a list of addresses and ranges, such as 10.0.0.0/8' })
    .optional()
    .describe(
      'Addresses and CIDR ranges that clients may not come from (403); where there is no `allow` everybody else may. NGINX: `deny`. HAProxy: `http-request deny if { src … }`.',
    ),
  satisfy: z
    .enum(['all', 'any'])
    .optional()
    .describe(
      'Whether a request must satisfy all of what is configured beside it, or any: the address or the credentials. Default: `all`. NGINX: `satisfy`.',
    ),
});

const accessText =
  'Who may ask. A request that may not is refused before it is read any further. What a route says comes in the place of what its site says: `allow` and `deny` together, everything else by itself. Requests that an application makes by X-Accel-Redirect are not asked again.';

export const siteAccess = access.optional().describe(`${accessText} For all routes of the site.`);
export const routeAccess = access.optional().describe(accessText);

export type AccessInput = z.output<typeof access>;
