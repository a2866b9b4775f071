import type { BrowserPolicyConfig } from '../access/browser-policy.ts';
import type { CorsConfig } from '../access/cors.ts';
import type { SecurityHeadersConfig } from '../access/security-headers.ts';
import { type CorsInput, type SecurityHeadersInput, usualSecurityHeaders } from './browser-schema.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

/** Allows nothing from elsewhere: what breaks it is what a policy of one's own must name. */
const startingPolicy =
  "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'";
const endpointName = 'portico';
const originForm =
  /^https?:\/\/(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/;

interface BrowserInput {
  readonly cors?: CorsInput;
  readonly securityHeaders?: SecurityHeadersInput;
  readonly methods?: readonly string[] | undefined;
}

/** Values of the fields, reports included. */
export function compileSecurityHeaders(
  input: SecurityHeadersInput,
  path: KeyPath,
  diagnosis: Diagnosis,
): SecurityHeadersConfig | undefined {
  if (input === undefined || input === false) return undefined;
  const keys = input === true ? usualSecurityHeaders : input;
  const { reportTo } = keys;
  if (reportTo !== undefined && !/^(?:\/(?!\/)|https:\/\/)[!#-~]*$/.test(reportTo)) {
    const allowed = 'a path that starts with one slash, or an https:// URL';
    diagnosis.report([...path, 'reportTo'], {
      message: `wrong place ${quote(reportTo)}`,
      found: quote(reportTo),
      allowed,
    });
  }
  const trial = keys.contentSecurityPolicyReportOnly;
  const reporting = (policy: string | false): string | undefined =>
    policy === false || reportTo === undefined
      ? policy || undefined
      : `${policy}; report-uri ${reportTo}; report-to ${endpointName}`;
  const hasPolicy = keys.contentSecurityPolicy !== false || trial !== false;
  if (reportTo !== undefined && !hasPolicy) {
    const allowed = 'reportTo beside contentSecurityPolicy or contentSecurityPolicyReportOnly';
    diagnosis.reportKey([...path, 'reportTo'], {
      message: 'there is no policy to report about',
      found: 'none',
      allowed,
    });
  }
  return {
    contentTypeOptions: keys.contentTypeOptions ? 'nosniff' : undefined,
    frameOptions: keys.frameOptions || undefined,
    referrerPolicy: keys.referrerPolicy || undefined,
    permissionsPolicy: keys.permissionsPolicy || undefined,
    contentSecurityPolicy: reporting(keys.contentSecurityPolicy),
    contentSecurityPolicyReportOnly: reporting(trial === true ? startingPolicy : trial),
    reportingEndpoints: reportTo === undefined ? undefined : `${endpointName}="${reportTo}"`,
    crossOriginOpenerPolicy: keys.crossOriginOpenerPolicy || undefined,
    crossOriginEmbedderPolicy: keys.crossOriginEmbedderPolicy || undefined,
    crossOriginResourcePolicy: keys.crossOriginResourcePolicy || undefined,
  };
}

/** Origins in the form that browsers send. */
export function compileCors(input: CorsInput, path: KeyPath, diagnosis: Diagnosis): CorsConfig | undefined {
  if (input === undefined || input === false) return undefined;
  const origins = input.origins.map((origin) => origin.toLowerCase());
  for (const [index, origin] of origins.entries()) {
    if (origin === '*' || originForm.test(origin)) continue;
    const allowed = 'https://app.example.com, https://*.example.com, each with a port or without, or *';
    const message = origin === 'null' ? 'the origin null, which anybody can have' : `wrong origin ${quote(origin)}`;
    diagnosis.report([...path, 'origins', index], { message, found: quote(origin), allowed });
  }
  if (input.credentials && origins.includes('*')) {
    const message = 'credentials for every origin: any page could act as the user who looks at it';
    diagnosis.report([...path, 'credentials'], {
      message,
      found: 'true beside the origin *',
      allowed: 'true beside origins by name',
    });
  }
  return { ...input, origins };
}

/** What a site or a route says; a key that stands there with nothing behind it is switched off. */
export type BrowserLayer = Partial<BrowserPolicyConfig>;

/** Compiles what stands at one place. */
export function compileBrowserLayer(input: BrowserInput, path: KeyPath, diagnosis: Diagnosis): BrowserLayer {
  const { securityHeaders, cors, methods } = input;
  const layer: { -readonly [Key in keyof BrowserLayer]: BrowserLayer[Key] } = {};
  if (securityHeaders !== undefined) {
    layer.securityHeaders = compileSecurityHeaders(securityHeaders, [...path, 'securityHeaders'], diagnosis);
  }
  if (cors !== undefined) layer.cors = compileCors(cors, [...path, 'cors'], diagnosis);
  checkPreflights({ cors: layer.cors, methods }, path, diagnosis);
  return layer;
}

/** What a route tells browsers: its own word, or that of its site; undefined for nothing. */
export function joinBrowser(site: BrowserLayer, route: BrowserLayer): BrowserPolicyConfig | undefined {
  const { securityHeaders, cors } = { ...site, ...route };
  return securityHeaders === undefined && cors === undefined ? undefined : { securityHeaders, cors };
}

/** Preflights are OPTIONS requests, which a route with other `methods` never sees. */
export function checkPreflights(
  { cors, methods }: { readonly cors: CorsConfig | undefined; readonly methods?: readonly string[] | undefined },
  path: KeyPath,
  diagnosis: Diagnosis,
): void {
  if (cors === undefined || methods === undefined || methods.includes('OPTIONS')) return;
  const allowed = 'methods with OPTIONS among them, or cors: false';
  diagnosis.report([...path, 'methods'], {
    message: 'a route with cors that takes no preflights',
    found: methods.join(', '),
    allowed,
  });
}
