/** What the cache did with a request, for Cache-Status (RFC 9211 section 2). Times in whole seconds. */
export interface CacheOutcome {
  /** Answered from the cache, without a request that this one caused (section 2.1). */
  readonly hit: boolean;
  /** Why the request went on (section 2.2); undefined for a hit. */
  readonly forwarded?: ForwardReason | undefined;
  /** What the upstream answered, where the client gets another status (section 2.3): 304 to a revalidation. */
  readonly forwardStatus?: number | undefined;
  /** Seconds for which the response is fresh still; below 0 when it is stale (section 2.4). */
  readonly ttl?: number | undefined;
  /** Whether the response was stored (section 2.5). */
  readonly stored?: boolean | undefined;
  /** Whether the request was answered by that of another (section 2.6). */
  readonly collapsed?: boolean | undefined;
  /** The cache key (section 2.7). */
  readonly key?: string | undefined;
  /** More that is worth knowing (section 2.8), as a token: `stale-if-error`, `MEMORY`. */
  readonly detail?: string | undefined;
}

/** The reasons of RFC 9211 section 2.2. */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial';

/** What X-Cache says: words as other caches have them. */
export type CacheWord = 'HIT' | 'MISS' | 'STALE' | 'REVALIDATED' | 'EXPIRED' | 'BYPASS';

/** A token, or something else that has to be quoted (RFC 8941 section 3.3.4). */
const token = /^[A-Za-z*][!#$%&'*+\-.^_`|~\w:/]*$/;
/** What a string may not hold (RFC 8941 section 3.3.3). */
const outsideString = /[^\x20-\x7e]/gu;

/**
 * The member that this cache adds to Cache-Status: `portico; hit; ttl=30`. Parameters in the order of RFC 9211.
 *
 * @param name of this cache
 */
export function cacheStatusMember(name: string, outcome: CacheOutcome): string {
  const { forwarded, forwardStatus, ttl, key, detail } = outcome;
  let member = bareItem(name);
  if (outcome.hit) member += '; hit';
  else if (forwarded !== undefined) member += `; fwd=${forwarded}`;
  if (forwardStatus !== undefined) member += `; fwd-status=${forwardStatus}`;
  if (ttl !== undefined) member += `; ttl=${Math.trunc(ttl)}`;
  if (outcome.stored === true) member += '; stored';
  if (outcome.collapsed === true) member += '; collapsed';
  if (key !== undefined) member += `; key=${quoted(key)}`;
  if (detail !== undefined) member += `; detail=${bareItem(detail)}`;
  return member;
}

/** The same as one word for X-Cache. */
export function xCacheWord(outcome: CacheOutcome): CacheWord {
  const isStale = outcome.ttl !== undefined && outcome.ttl < 0;
  if (outcome.hit) return isStale ? 'STALE' : 'HIT';
  if (outcome.forwarded === 'bypass' || outcome.forwarded === 'method') return 'BYPASS';
  if (outcome.forwarded !== 'stale' && outcome.forwarded !== 'request') return 'MISS';
  if (outcome.forwardStatus === 304) return 'REVALIDATED';
  // Asked again in vain: the client gets what is stored.
  return outcome.stored !== true && isStale ? 'STALE' : 'EXPIRED';
}

function bareItem(text: string): string {
  return token.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  const visible = text.replace(outsideString, (character) => percentEncoded(character));
  return `"${visible.replace(/["\\]/g, '\\$&')}"`;
}

function percentEncoded(character: string): string {
  return Buffer.from(character).toString('hex').replace(/../g, '%$&').toUpperCase();
}
