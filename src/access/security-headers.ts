import { serializeFields } from '../response/response-head.ts';
import type { ResponseFieldPlan } from './response-fields-exchange.ts';

/** Values of the fields that tell browsers what a page may do; undefined for those that are not sent. */
export interface SecurityHeadersConfig {
  readonly contentTypeOptions: 'nosniff' | undefined;
  readonly frameOptions: string | undefined;
  readonly referrerPolicy: string | undefined;
  readonly permissionsPolicy: string | undefined;
  readonly contentSecurityPolicy: string | undefined;
  readonly contentSecurityPolicyReportOnly: string | undefined;
  readonly reportingEndpoints: string | undefined;
  readonly crossOriginOpenerPolicy: string | undefined;
  readonly crossOriginEmbedderPolicy: string | undefined;
  readonly crossOriginResourcePolicy: string | undefined;
}

const fieldNames = {
  contentTypeOptions: 'X-Content-Type-Options',
  frameOptions: 'X-Frame-Options',
  referrerPolicy: 'Referrer-Policy',
  permissionsPolicy: 'Permissions-Policy',
  contentSecurityPolicy: 'Content-Security-Policy',
  contentSecurityPolicyReportOnly: 'Content-Security-Policy-Report-Only',
  reportingEndpoints: 'Reporting-Endpoints',
  crossOriginOpenerPolicy: 'Cross-Origin-Opener-Policy',
  crossOriginEmbedderPolicy: 'Cross-Origin-Embedder-Policy',
  crossOriginResourcePolicy: 'Cross-Origin-Resource-Policy',
} as const satisfies Record<keyof SecurityHeadersConfig, string>;

/** The lines for responses that do not say anything about it themselves. */
export function securityLines(config: SecurityHeadersConfig): ResponseFieldPlan['missing'] {
  return Object.entries(fieldNames).flatMap(([key, name]) => {
    const value = config[key as keyof SecurityHeadersConfig];
    if (value === undefined) return [];
    return [[name.toLowerCase(), serializeFields([[name, value]])] as const];
  });
}
