import { z } from 'zod';
import { type JwtAlgorithm, jwtAlgorithms } from '../access/jwt-algorithm.ts';
import { keyFacts } from './key-facts.ts';
import { fieldName, file, textLike, textOf } from './schema-values.ts';
import { duration } from './units.ts';

const addressRange = textOf('an address such as 10.0.0.1, a range such as 10.0.0.0/8, or unix');

const basic = z.strictObject({
  realm: textLike(/^[\x20-\x7e]{1,100}$/, 'up to 100 characters of ASCII')
    .default('Restricted')
    .describe('What browsers show beside the question for a password. NGINX: `auth_basic`.'),
  users: z
    .record(textOf('a user name'), textOf('a bcrypt or argon2 hash'))
    .default({})
    .describe(
      'Hashes of passwords by user: bcrypt (`htpasswd -nB USER`), or argon2 with Node.js 24.7 or newer. HAProxy: `userlist`.',
    ),
  file: file
    .optional()
    .describe(
      'File of further users, a line `user:hash` for each, as `htpasswd -B` writes it. It is read anew when it has changed, a second later at most; while it cannot be read none of its users can sign in. NGINX: `auth_basic_user_file`.',
    ),
  userField: z
    .union([z.literal(false), fieldName])
    .default('X-Remote-User')
    .describe(
      'Field that tells the application who has signed in; `false` for none. What clients send by that name never reaches an application, on no route. NGINX: `proxy_set_header … $remote_user`.',
    ),
  passAuthorization: z
    .boolean()
    .default(false)
    .describe('Whether the application gets the Authorization field with the password in it. NGINX always passes it.'),
  remember: duration({ max: 3_600_000 })
    .prefault('1m')
    .describe(
      'How long a password that was right is not checked again: checking it takes a tenth of a second. A password that has changed is noticed all the same. NGINX: none. HAProxy: none.',
    ),
  attempts: z
    .int()
    .min(1)
    .max(10_000)
    .default(10)
    .describe(
      'Most wrong passwords from one address (of IPv6, one network of 64 bits) within `attemptsWindow`, in each worker; then 429. NGINX: `limit_req`.',
    ),
  attemptsWindow: duration({ min: 1000 })
    .prefault('1m')
    .describe('How long wrong passwords count. NGINX: none. HAProxy: `stick-table … expire`.'),
});

const oneOrMore = (allowed: string) =>
  z
    .union([textOf(allowed), z.array(textOf(allowed)).min(1)])
    .optional()
    .register(keyFacts, { allowed: `${allowed}, or a list` });

const jwt = z.strictObject({
  keysUrl: textOf('a URL such as https://login.example.com/.well-known/jwks.json')
    .optional()
    .describe(
      'Where the issuer publishes its public keys (JWKS, RFC 7517). They are fetched anew after `keysMaxAge`, and when a token names a key that is not among them, every 10 seconds at most; while that fails the former ones stay. NGINX Plus: `auth_jwt_key_request`.',
    ),
  keysFile: file
    .optional()
    .describe(
      'File with the public keys, in the place of `keysUrl`; read anew when it has changed. NGINX Plus: `auth_jwt_key_file`.',
    ),
  secret: textOf('at least 32 characters of ASCII')
    .optional()
    .describe(
      'Secret of tokens that the application signs itself (HS256, HS384, HS512), in the place of public keys. Take it from the environment: `${JWT_SECRET}`.',
    ),
  keysMaxAge: duration({ min: 10_000 }).prefault('10m').describe('How old keys from `keysUrl` may be.'),
  algorithms: z
    .array(z.enum(Object.keys(jwtAlgorithms) as [JwtAlgorithm, ...JwtAlgorithm[]]))
    .min(1)
    .register(keyFacts, { allowed: `a list of at least one of ${Object.keys(jwtAlgorithms).join(', ')}` })
    .optional()
    .describe(
      'Algorithms of signatures that count. Default: RS256, PS256, ES256 and EdDSA with public keys, HS256 with a secret. `none` never counts. HAProxy: `jwt_verify`.',
    ),
  issuer: oneOrMore('an issuer such as https://login.example.com/').describe(
    'Who may have issued a token: its claim `iss`. Without it everybody who has the key.',
  ),
  audience: oneOrMore('an audience such as my-api').describe(
    'For whom a token must be: its claim `aud`. Without it whoever it is for: also those that the issuer made for other applications.',
  ),
  leeway: duration({ max: 600_000 })
    .prefault('30s')
    .describe('How far the clocks of the issuer and this machine may differ. NGINX Plus: `auth_jwt_leeway`.'),
  requireExpiry: z.boolean().default(true).describe('Refuses tokens that never expire (no claim `exp`).'),
  cookie: textLike(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'the name of a cookie')
    .optional()
    .describe(
      'Cookie that may hold the token, where there is no Authorization field with one. NGINX Plus: `auth_jwt … token=`.',
    ),
  claims: z
    .record(textOf('the name of a claim'), fieldName)
    .default({})
    .describe(
      'Fields that tell the application claims of the token: `{ sub: X-User-Id, email: X-User-Email }`. Lists become one value with commas. What clients send by these names never reaches an application, on no route. NGINX Plus: `$jwt_claim_…`.',
    ),
  passAuthorization: z
    .boolean()
    .default(true)
    .describe('Whether the application gets the Authorization field with the token too.'),
});

const cacheKeyPart = z.union([
  z.enum(['method', 'host', 'uri', 'address']),
  z.strictObject({ header: fieldName.describe('Name of a field.') }),
  z.strictObject({ cookie: textOf('the name of a cookie').describe('Name of a cookie.') }),
]);

const forward = z.strictObject({
  url: textOf('a URL such as http://127.0.0.1:9000/verify').describe(
    'Where the service is asked, by GET and without a body. It gets X-Forwarded-Method, -Uri, -Host, -Proto and -For of the request, and X-Request-Id. `https://` is verified with the certificates that Node.js trusts (`NODE_EXTRA_CA_CERTS` adds some). NGINX: `auth_request`.',
  ),
  passHeaders: z
    .array(fieldName)
    .default(['Accept', 'Accept-Language', 'Authorization', 'Cookie', 'Origin', 'Referer', 'User-Agent'])
    .describe('Fields of the request that the service gets. NGINX passes all.'),
  copyHeaders: z
    .array(fieldName)
    .default([])
    .describe(
      'Fields of an answer of 2xx that the application gets, such as X-Auth-User. What clients send by these names never reaches an application, on no route. NGINX: `auth_request_set`.',
    ),
  clientHeaders: z
    .array(fieldName)
    .default([])
    .describe(
      'Fields of an answer of 2xx that the client gets with the response, such as Set-Cookie. NGINX: `auth_request_set`.',
    ),
  timeout: duration({ min: 100, max: 60_000 })
    .prefault('5s')
    .describe('Longest time for the whole answer; then 502. NGINX: `proxy_read_timeout`.'),
  cacheFor: duration({ max: 3_600_000 })
    .prefault('0s')
    .describe(
      'How long an answer of 2xx counts for the same question, in each worker, unless it says Cache-Control no-store or no-cache. `0s` asks about every request. NGINX: `proxy_cache` in the place that is asked.',
    ),
  cacheBy: z
    .array(cacheKeyPart)
    .min(1)
    .register(keyFacts, {
      allowed: 'a list of at least one of method, host, uri, address, { header: … }, { cookie: … }',
    })
    .optional()
    .describe(
      'What makes two questions the same, such as `[{ cookie: session }]` where the service looks at nothing else. Without it everything that the service gets. NGINX: `proxy_cache_key`.',
    ),
});

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
  basic: z
    .union([z.literal(false), basic])
    .optional()
    .describe(
      'Asks for a user and a password (Basic authentication, RFC 7617); `false` on a route for none. Use it on connections with TLS only. NGINX: `auth_basic`. HAProxy: `http-request auth`.',
    ),
  jwt: z
    .union([z.literal(false), jwt])
    .optional()
    .describe(
      'Asks for a token that an issuer has signed (JWT, RFC 7519), from the Authorization field (`Bearer`) or a cookie; `false` on a route for none. NGINX Plus: `auth_jwt`. HAProxy: `jwt_verify`.',
    ),
  forward: z
    .union([z.literal(false), forward])
    .optional()
    .describe(
      'Asks another service whether a request may pass; `false` on a route for none. 2xx lets it pass; every other answer below 500 goes to the client, such as the redirect to a login. When the service cannot be asked nobody may (502). NGINX: `auth_request`. HAProxy: none.',
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

export type BasicInput = z.output<typeof basic>;
export type JwtInput = z.output<typeof jwt>;
export type ForwardInput = z.output<typeof forward>;
export type AccessInput = z.output<typeof access>;
