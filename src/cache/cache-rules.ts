/** What a route says about caching; times in milliseconds. Compiled from `routes[].cache`. */
export interface CacheRules {
  /** Name of the zone (`caches.NAME`). */
  readonly zone: string;
  /** Lifetime of responses that say nothing about their own; 0 stores none of them. By status where it is listed. */
  readonly ttl: number;
  readonly ttlByStatus: Readonly<Record<string, number>>;
  /** Lifetime guessed from Last-Modified (RFC 9111 section 4.2.2): share of the age, and the most; undefined for never. */
  readonly heuristic: { readonly share: number; readonly max: number } | undefined;
  /** Whether Cache-Control and Pragma of requests count; otherwise no client can make the cache ask the upstream. */
  readonly obeyRequest: boolean;
  /** Whether responses with Set-Cookie are stored, without those fields. */
  readonly storeSetCookie: boolean;
  /** For responses that say nothing about it. */
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  /** Requests with one of these go past the cache, both ways: neither answered from it nor stored. */
  readonly bypass: {
    readonly cookies: readonly string[];
    readonly headers: readonly string[];
    readonly query: readonly string[];
  };
  readonly key: CacheKeyRules;
  /** Bytes; larger responses are not stored. */
  readonly maxEntry: number;
  /** Milliseconds that a request waits for another one that fetches the same, before it goes itself; 0 never waits. */
  readonly collapse: number;
  /** Whether Cache-Status (RFC 9211) is sent, and under which name of this cache. */
  readonly cacheStatus: string | undefined;
  readonly xCache: boolean;
  /** Whether CDN-Cache-Control (RFC 9213) counts before Cache-Control. */
  readonly targeted: boolean;
  readonly normalizeVary: { readonly acceptEncoding: boolean; readonly acceptLanguage: readonly string[] | undefined };
}

/** What makes two requests the same. */
export interface CacheKeyRules {
  readonly host: boolean;
  /** Which parameters count: all, none, those named, or all but those named. */
  readonly query: {
    readonly mode: 'all' | 'none' | 'only' | 'except';
    readonly names: readonly string[];
    readonly sort: boolean;
  };
  /** Further fields of the request by name in lower case. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
}
