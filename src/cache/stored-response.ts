/**
 * What is kept of a response besides its body. Plain data: it goes to disk as it is and comes back in another process.
 * Times are milliseconds since 1970 on the wall clock, which all processes of a machine share.
 */
export interface StoredResponse {
  /**
   * The primary key as text, compared after every look-up by hash: `host/path?query` as the request has them (percent-encoded,
   * without the `?` where there is no query), then behind a space, which none of them can hold, what else the route puts in.
   */
  readonly key: string;
  /** The values of the request fields that Vary names, normalised; '' without Vary. Distinguishes the variants of a key. */
  readonly variant: string;
  readonly status: number;
  /**
   * Status line and fields as the upstream sent them, as `ResponseHead.block` has them, without Date, Age, those of framing
   * and connection, and those that a qualified `no-cache` or `private` excludes. Without the lines that the route adds.
   */
  readonly block: Buffer;
  /** Bytes of body. */
  readonly bodyLength: number;
  /** When the request was sent that this answers; purges compare with it. */
  readonly requestTime: number;
  /** When its head was received, or that of the 304 that renewed it. */
  readonly responseTime: number;
  /** Date of the response (RFC 9110 section 6.6.1), or `responseTime` where there was no valid one. */
  readonly date: number;
  /** `corrected_initial_age` of RFC 9111 section 4.2.3, milliseconds. */
  readonly initialAge: number;
  /** `freshness_lifetime` of RFC 9111 section 4.2.1, milliseconds. */
  readonly lifetime: number;
  /** Milliseconds after it became stale for which it may still be used while it is renewed (RFC 5861 section 3). */
  readonly staleWhileRevalidate: number;
  /** Milliseconds after it became stale for which it may be used when the upstream fails (RFC 5861 section 4). */
  readonly staleIfError: number;
  /** Whether it must never be used stale, whatever a request or an option says. */
  readonly mustRevalidate: boolean;
  /** Whether it must be validated before each use (`no-cache`). */
  readonly alwaysRevalidate: boolean;
  /** ETag as sent, with quotes and `W/`. */
  readonly etag: string | undefined;
  /** Last-Modified, undefined without a valid one. */
  readonly lastModified: number | undefined;
  /** What Cache-Tag and Surrogate-Key say. */
  readonly tags: readonly string[];
  /** Which field or option decided about `lifetime`, for explanations: `Cache-Control: s-maxage`, `Expires`, `heuristic`, `ttl` … */
  readonly decidedBy: string;
}

/** That responses of a key vary: stored under the key itself, the variants under key and `variant`. */
export interface VaryMarker {
  readonly key: string;
  /** Names in lower case, sorted. */
  readonly names: readonly string[];
  readonly requestTime: number;
}
