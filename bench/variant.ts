/** How a server differs, for one comparison, from its plain configuration with one worker. */
export interface Variant {
  /** Writes an access log, as a file, in pieces. */
  readonly accessLog?: boolean;
  /** Worker processes; `auto` is one for each core. */
  readonly workers?: number | 'auto';
  /** So many sites, each with so many routes, instead of one site with three. */
  readonly routing?: { readonly hosts: number; readonly routesPerHost: number };
  /** Caches are made large enough for so many files. */
  readonly cachedFiles?: number;
  /** Idle connections kept to the upstream, instead of 64: as many as there are requests in flight. */
  readonly idleUpstreamConnections?: number;
  /** Options for the Node.js that runs Portico, its workers included. */
  readonly nodeOptions?: readonly string[];
}

/** Names the process that a variant needs: cases with the same key share one. */
export function variantKey(variant: Variant): string {
  return JSON.stringify(variant, Object.keys(variant).toSorted().concat('hosts', 'routesPerHost'));
}

/** Host of one of the many sites. */
export function siteHost(index: number): string {
  return `site-${index}.example`;
}
