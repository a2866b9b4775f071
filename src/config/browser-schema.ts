import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { fieldName, fieldValue, textLike, textOf } from './schema-values.ts';
import { duration } from './units.ts';

const offOr = <Value extends z.ZodType>(value: Value) => z.union([z.literal(false), value]);

const securityHeaderKeys = z.strictObject({
  contentTypeOptions: z
    .boolean()
    .default(true)
    .describe('`X-Content-Type-Options: nosniff`: browsers take the Content-Type at its word.'),
  frameOptions: offOr(z.enum(['SAMEORIGIN', 'DENY']))
    .default('SAMEORIGIN')
    .describe('`X-Frame-Options`: who may show the page in a frame.'),
  referrerPolicy: offOr(fieldValue)
    .default('strict-origin-when-cross-origin')
    .describe('`Referrer-Policy`: what other sites learn of the page that a link stood on.'),
  permissionsPolicy: offOr(fieldValue)
    .default('camera=(), geolocation=(), microphone=(), payment=(), usb=()')
    .describe('`Permissions-Policy`: what a page may use of the device.'),
  contentSecurityPolicy: offOr(fieldValue)
    .default(false)
    .describe('`Content-Security-Policy`: where a page may load what from.'),
  contentSecurityPolicyReportOnly: z
    .union([z.boolean(), fieldValue])
    .default(false)
    .describe(
      '`Content-Security-Policy-Report-Only`: a policy to try, of which browsers only report what breaks it. `true` is a strict one to begin with.',
    ),
  reportTo: textOf('a path that starts with /, or an https:// URL')
    .optional()
    .describe(
      'Where browsers send their reports: adds `report-uri` and `report-to` to both policies, and the field `Reporting-Endpoints`.',
    ),
  crossOriginOpenerPolicy: offOr(fieldValue).default(false).describe('`Cross-Origin-Opener-Policy`.'),
  crossOriginEmbedderPolicy: offOr(fieldValue).default(false).describe('`Cross-Origin-Embedder-Policy`.'),
  crossOriginResourcePolicy: offOr(fieldValue).default(false).describe('`Cross-Origin-Resource-Policy`.'),
});

/** Fields that tell browsers what a page may do. */
export const securityHeaders = z
  .union([z.boolean(), securityHeaderKeys])
  .optional()
  .describe(
    'Sends fields that tell browsers to be careful, in every response that does not have them already: what the application says always counts. `true` sends the usual ones. A route says its own in the place of its site. Default: `false`. NGINX: `add_header`. HAProxy: `http-response set-header`.',
  );

const corsKeys = z.strictObject({
  origins: z
    .array(textOf('an origin such as https://app.example.com or https://*.example.com, or *'))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one origin, such as https://app.example.com' })
    .describe(
      'Origins whose pages may read the responses: `https://app.example.com`, `https://*.example.com` for every name below it, `*` for all.',
    ),
  credentials: z
    .boolean()
    .default(false)
    .describe('Whether they may do so with the cookies of the user. Not with the origin `*`.'),
  methods: z
    .array(textLike(/^[A-Z][A-Z0-9_-]{0,31}$/, 'a method in capitals, such as GET'))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one method in capitals, such as GET' })
    .default(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
    .describe('Methods that they may use.'),
  headers: z
    .union([z.literal('any'), z.array(fieldName)])
    .default('any')
    .describe('Request fields that they may set; `any` for whichever they ask for.'),
  exposeHeaders: z
    .array(fieldName)
    .default([])
    .describe('Response fields that they may read, besides the harmless ones.'),
  maxAge: duration({ max: 86_400_000 })
    .prefault('10m')
    .describe('How long browsers need not ask again before a request. Many keep it for two hours at most.'),
});

/** Pages of other origins. */
export const cors = z
  .union([z.literal(false), corsKeys])
  .optional()
  .describe(
    "Lets pages of other origins read the responses (CORS). Portico answers the browsers' preflights and takes what the application says about it out. A route says its own in the place of its site. Default: `false`. NGINX: `add_header Access-Control-Allow-Origin …`.",
  );

/** What `securityHeaders: true` stands for. */
export const usualSecurityHeaders = securityHeaderKeys.parse({});

export type SecurityHeadersInput = z.output<typeof securityHeaders>;
export type CorsInput = z.output<typeof cors>;
