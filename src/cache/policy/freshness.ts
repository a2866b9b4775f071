import type { HeaderFields } from '../../http/header-fields.ts';
import type { CacheRules } from '../cache-rules.ts';
import { dateOf } from './age.ts';
import type { ResponseDirectives } from './response-directives.ts';
import { heuristicStatuses } from './status-rules.ts';

/** How long a response is fresh, and why. */
export interface Freshness {
  /** `freshness_lifetime` (RFC 9111 section 4.2.1) in milliseconds. */
  readonly lifetime: number;
  /** The field or option that decided; undefined when the response says nothing and no option does. */
  readonly decidedBy: string | undefined;
  /** Whether the response itself says it. */
  readonly explicit: boolean;
}

const nothingSaid: Freshness = { lifetime: 0, decidedBy: undefined, explicit: false };

/**
 * The lifetime of a response, in the order of RFC 9111 section 4.2.1: `s-maxage`, `max-age`, Expires; then, where the
 * response says nothing, what the route says for its status, the guess from Last-Modified, and what the route says for all.
 * @param date milliseconds since 1970
 */
export function freshnessOf(
  status: number,
  fields: HeaderFields,
  directives: ResponseDirectives,
  date: number,
  rules: CacheRules,
): Freshness {
  const { source, sharedMaxAge, maxAge } = directives;
  if (sharedMaxAge !== undefined) return said(sharedMaxAge * 1000, `${source}: s-maxage`);
  if (maxAge !== undefined) return said(maxAge * 1000, `${source}: max-age`);
  // A targeted field speaks instead of Expires too (RFC 9213 section 2.2).
  if (source === 'Cache-Control' && fields.has('expires')) return said(untilExpires(fields, date), 'Expires');
  return assumedFreshness(status, fields, directives, date, rules);
}

function assumedFreshness(
  status: number,
  fields: HeaderFields,
  directives: ResponseDirectives,
  date: number,
  { ttl, ttlByStatus, heuristic }: CacheRules,
): Freshness {
  const ofStatus = ttlByStatus[status];
  if (ofStatus !== undefined) return { lifetime: ofStatus, decidedBy: 'ttl', explicit: false };
  // RFC 9111 section 4.2.2: only of these statuses, or where the response is marked as cacheable.
  if (!heuristicStatuses.has(status) && !directives.public) return nothingSaid;
  const modified = heuristic === undefined ? undefined : dateOf(fields, 'last-modified', Math.floor(date / 1000));
  if (heuristic !== undefined && modified !== undefined && modified * 1000 < date) {
    const guessed = Math.min((date - modified * 1000) * heuristic.share, heuristic.max);
    return { lifetime: Math.floor(guessed), decidedBy: 'heuristic', explicit: false };
  }
  return ttl > 0 ? { lifetime: ttl, decidedBy: 'ttl', explicit: false } : nothingSaid;
}

/** Expires minus Date; what is no date, and two that differ, lie in the past (RFC 9111 sections 5.3 and 4.2.1). */
function untilExpires(fields: HeaderFields, date: number): number {
  const values = fields.all('expires');
  if (values.some((value) => value !== values[0])) return 0;
  const expires = dateOf(fields, 'expires', Math.floor(date / 1000));
  return expires === undefined ? 0 : Math.max(0, expires * 1000 - date);
}

function said(lifetime: number, decidedBy: string): Freshness {
  return { lifetime, decidedBy, explicit: true };
}
