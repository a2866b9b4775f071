import { fieldLinesOf, readFieldLines, withoutFieldLines } from '../../http/field-lines.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import { parseVary } from '../../http/vary.ts';
import type { CacheRules } from '../cache-rules.ts';
import type { StoredResponse } from '../stored-response.ts';
import { ageBaseOf, ageMsOf, dateOf } from './age.ts';
import { type ExchangeTimes, fieldsOf, type ReceivedResponse } from './received-response.ts';
import { readResponseDirectives } from './response-directives.ts';
import { describeResponse, neverKept } from './storage.ts';
import { targetedDirectives } from './targeted-directives.ts';
import { isSelectedBy } from './validation.ts';

export type Renewal =
  /** Answer with it, and put it in the place of the stored one. */
  | { readonly kind: 'renewed'; readonly response: StoredResponse }
  /** Answer this request with it, and remove the stored one: the new fields forbid to keep it. */
  | { readonly kind: 'forbidden'; readonly response: StoredResponse }
  /** It speaks of another representation: what is stored must not answer; ask again without conditions. */
  | { readonly kind: 'mismatch' };

/** Fields that say how the stored body is coded and framed: it was not sent again, so they stay as they are. */
const bodyFields: readonly string[] = ['content-encoding', 'content-length', 'content-range'];

/**
 * Updates a stored response with the fields of a 304 (RFC 9111 section 4.3.4): each takes the place of the stored ones of its
 * name (section 3.2), but for those of the connection and of the body's coding, and Set-Cookie. Lifetime and age begin anew.
 */
export function renewStored(
  stored: StoredResponse,
  notModified: ReceivedResponse,
  rules: CacheRules,
  times: ExchangeTimes,
): Renewal {
  const fields = fieldsOf(notModified);
  if (!isSelectedBy(stored, fields, Math.floor(times.responseTime / 1000))) return { kind: 'mismatch' };
  return update(stored, notModified, fields, rules, times);
}

/**
 * Updates a stored response with the fields of a 200 to a HEAD request (RFC 9111 section 4.3.5). `mismatch`: it says another
 * length or other validators, or none at all, so that the stored one is to be taken for stale (`markedStale`).
 * @param contentLength of the response to HEAD; undefined when it says none
 */
export function renewByHead(
  stored: StoredResponse,
  head: ReceivedResponse,
  contentLength: number | undefined,
  rules: CacheRules,
  times: ExchangeTimes,
): Renewal {
  const fields = fieldsOf(head);
  const etag = fields.get('etag');
  const modified = dateOf(fields, 'last-modified', Math.floor(times.responseTime / 1000));
  const same =
    head.status === 200 &&
    stored.status === 200 &&
    (etag !== undefined || modified !== undefined) &&
    (etag === undefined || etag === stored.etag) &&
    (modified === undefined || modified * 1000 === stored.lastModified) &&
    (contentLength === undefined || contentLength === stored.bodyLength);
  return same ? update(stored, head, fields, rules, times) : { kind: 'mismatch' };
}

/** As it is once it was purged softly: stale, not to be used while it is renewed, but when the upstream fails. */
export function markedStale(stored: StoredResponse, now: number): StoredResponse {
  return { ...stored, lifetime: Math.min(stored.lifetime, ageMsOf(stored, now)), staleWhileRevalidate: 0 };
}

function update(
  stored: StoredResponse,
  newer: ReceivedResponse,
  newerFields: HeaderFields,
  rules: CacheRules,
  times: ExchangeTimes,
): Renewal {
  const withheld = readResponseDirectives(newerFields, rules.targeted).withheldFields;
  const block = mergedBlock(
    stored.block,
    newer.block,
    new Set([...neverKept, ...bodyFields, 'set-cookie', ...withheld]),
  );
  const fields = fieldsOf({ block, directives: newer.directives });
  const directives = readResponseDirectives(fields, rules.targeted);
  const removed = new Set([...neverKept, ...directives.withheldFields]);
  const received = { status: stored.status, block, directives: newer.directives };
  const described = describeResponse(received, fields, directives, removed, rules, times);
  if (typeof described === 'string') {
    const { requestTime, responseTime } = times;
    return {
      kind: 'forbidden',
      response: { ...stored, block, requestTime, responseTime, ...ageBaseOf(fields, times) },
    };
  }
  const { key, variant, bodyLength } = stored;
  const tags = described.tags.length > 0 ? described.tags : stored.tags;
  const response = { ...described, key, variant, bodyLength, tags };
  if (directives.private || (directives.noStore && !directives.mustUnderstand) || changesVary(stored, fields)) {
    return { kind: 'forbidden', response };
  }
  return {
    kind: 'renewed',
    response: keepsTargeted(stored, fields, rules) ? withPolicyOf(stored, response) : response,
  };
}

/** The stored head with the new fields, which take the place of all stored ones of their names. */
function mergedBlock(stored: Buffer, newer: Buffer, dropped: ReadonlySet<string>): Buffer {
  const lines = fieldLinesOf(newer, dropped);
  const replaced = new Set<string>();
  const { entries } = readFieldLines(lines);
  for (let index = 0; index < entries.length; index += 2) replaced.add(entries[index] as string);
  return Buffer.concat([withoutFieldLines(stored, replaced), lines]);
}

/** What is stored was chosen by the fields that Vary named; under other names it could answer the wrong requests. */
function changesVary(stored: StoredResponse, merged: HeaderFields): boolean {
  const before = String(parseVary(readFieldLines(stored.block).all('vary')));
  return before !== String(parseVary(merged.all('vary')));
}

/** Whether a targeted field decided that is not kept in the block, and that the new response leaves as it was. */
function keepsTargeted(stored: StoredResponse, merged: HeaderFields, { targeted }: CacheRules): boolean {
  return targeted && !/^(Cache-Control|Expires|heuristic|ttl)/.test(stored.decidedBy) && !targetedDirectives(merged);
}

function withPolicyOf(stored: StoredResponse, renewed: StoredResponse): StoredResponse {
  const { lifetime, staleWhileRevalidate, staleIfError, mustRevalidate, alwaysRevalidate, decidedBy } = stored;
  return { ...renewed, lifetime, staleWhileRevalidate, staleIfError, mustRevalidate, alwaysRevalidate, decidedBy };
}
