import { formatHttpDate, parseHttpDate } from '../../http/date.ts';
import { matchesEntityTag, parseEntityTag } from '../../http/etag.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import type { StoredResponse } from '../stored-response.ts';

/** The fields that ask the upstream whether what is stored is still right; name and value in turn. Empty: it cannot be asked. */
export function conditionalFields(stored: Pick<StoredResponse, 'etag' | 'lastModified'>): string[] {
  const fields: string[] = [];
  if (stored.etag !== undefined) fields.push('if-none-match', stored.etag);
  if (stored.lastModified !== undefined) {
    fields.push('if-modified-since', formatHttpDate(stored.lastModified / 1000));
  }
  return fields;
}

/** Fields of a client's request that must not go upstream with a request by which the cache asks for the whole. */
export const clientConditionFields: readonly string[] = [
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
];

/**
 * Whether a 304 speaks of this stored response (RFC 9111 section 4.3.4): its strong validators are the stored ones; weak
 * ones match weakly. One without any can only answer the single validator that it was asked about.
 */
export function isSelectedBy(
  stored: Pick<StoredResponse, 'etag' | 'lastModified'>,
  notModified: HeaderFields,
  nowSeconds: number,
): boolean {
  const etag = notModified.get('etag');
  if (etag !== undefined) return stored.etag !== undefined && sameTag(etag, stored.etag);
  const modified = notModified.get('last-modified');
  if (modified === undefined || stored.lastModified === undefined) return true;
  const seconds = parseHttpDate(modified, nowSeconds);
  return seconds === undefined || seconds * 1000 === stored.lastModified;
}

/**
 * Which of several stored responses a 304 speaks of: all that have its strong validator, else the newest of those that
 * match.
 */
export function selectFreshened<T extends Pick<StoredResponse, 'etag' | 'lastModified' | 'date'>>(
  stored: readonly T[],
  notModified: HeaderFields,
  nowSeconds: number,
): T[] {
  const matching = stored.filter((one) => isSelectedBy(one, notModified, nowSeconds));
  const etag = notModified.get('etag');
  if (etag !== undefined && !etag.startsWith('W/')) return matching;
  const newest = matching.toSorted((a, b) => b.date - a.date)[0];
  return newest === undefined ? [] : [newest];
}

/** What the conditions of a client mean for a stored response that may answer it. */
export type ConditionResult = 'proceed' | 'not-modified';

/**
 * Evaluates the conditions that a cache evaluates (RFC 9111 section 4.3.2): If-None-Match, else If-Modified-Since, where the
 * date of a response without Last-Modified is its Date. If-Match and If-Unmodified-Since are meant for the origin alone.
 */
export function evaluateClientConditions(
  stored: Pick<StoredResponse, 'status' | 'etag' | 'lastModified' | 'date'>,
  fields: HeaderFields,
  nowSeconds: number,
): ConditionResult {
  // RFC 9110 section 13.2.1: conditions count where the answer without them would be 2xx.
  if (stored.status < 200 || stored.status > 299) return 'proceed';
  const noneMatch = fields.list('if-none-match');
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === '*') return 'not-modified';
    return stored.etag !== undefined && matchesEntityTag(noneMatch, stored.etag, 'weak') ? 'not-modified' : 'proceed';
  }
  const since = fields.get('if-modified-since');
  const date = since === undefined ? undefined : parseHttpDate(since, nowSeconds);
  if (date === undefined) return 'proceed';
  return (stored.lastModified ?? stored.date) <= date * 1000 ? 'not-modified' : 'proceed';
}

function sameTag(sent: string, stored: string): boolean {
  const tag = parseEntityTag(sent);
  if (tag === undefined) return sent === stored;
  return tag.weak
    ? parseEntityTag(stored)?.opaque === tag.opaque
    : parseEntityTag(stored)?.weak === false && stored === sent;
}
