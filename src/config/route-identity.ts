import type { RouteConfig } from './config.ts';

/** Text that is equal for two routes of a site exactly when they take the same requests. */
export function routeIdentity({ path, exact, methods, headers, query }: RouteIdentityParts): string {
  // Header names are compared without regard to case, query parameters with it.
  const fields = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return JSON.stringify([
    path,
    exact,
    methods ? [...new Set(methods)].toSorted() : null,
    fields.map((field) => JSON.stringify(field)).toSorted(),
    Object.entries(query ?? {})
      .map((parameter) => JSON.stringify(parameter))
      .toSorted(),
  ]);
}

type RouteIdentityParts = Pick<RouteConfig, 'path' | 'exact' | 'methods' | 'headers' | 'query'>;
