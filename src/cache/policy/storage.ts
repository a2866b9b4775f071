import { withoutFieldLines } from '../../http/field-lines.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import { hopByHopFields } from '../../http/hop-by-hop.ts';
import { parseVary } from '../../http/vary.ts';
import type { CacheRules } from '../cache-rules.ts';
import type { StoredResponse } from '../stored-response.ts';
import { ageBaseOf, dateOf } from './age.ts';
import { type Freshness, freshnessOf } from './freshness.ts';
import { type ExchangeTimes, fieldsOf, type PolicyRequest, type ReceivedResponse } from './received-response.ts';
import { forbidsStoring } from './request-directives.ts';
import { type ResponseDirectives, readResponseDirectives } from './response-directives.ts';
import { neverStoredStatuses, understoodStatuses } from './status-rules.ts';
import { tagsOf } from './tags.ts';

/** What the policy knows of a stored response; key, variant and length of the body are the handler's. */
export type StorableResponse = Omit<StoredResponse, 'key' | 'variant' | 'bodyLength'>;

/** Why a response is not stored. Stable words, for Cache-Status and metrics. */
export type NotStoredReason =
  | 'method'
  | 'request-no-store'
  | 'status'
  | 'not-understood'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'set-cookie'
  | 'vary'
  | 'nothing-said'
  | 'stale';

export type StorageDecision =
  | {
      readonly store: true;
      readonly response: StorableResponse;
      /** What Vary names, sorted, in lower case; empty without it. */
      readonly varyNames: readonly string[];
      /** Names of the fields that are in the response and not in what is stored of it. */
      readonly removedFields: readonly string[];
    }
  | {
      readonly store: false;
      readonly reason: NotStoredReason;
      /** Milliseconds for which others with this key need not wait for one another: the next answer will not be stored either. */
      readonly rememberMs: number;
    };

/** A response that says how it is to be treated will say so again. */
const rememberResponseMs = 10_000;
/** Errors pass. */
const rememberErrorMs = 1000;

/** Reasons that lie in the request: the next one may have none of them. */
const requestReasons: ReadonlySet<NotStoredReason> = new Set(['method', 'request-no-store', 'authorization']);

/**
 * Whether a shared cache may keep a response (RFC 9111 section 3) and would ever use it, and what of it is kept.
 * Throws never, whatever the fields hold.
 */
export function judgeStorage(
  request: PolicyRequest,
  received: ReceivedResponse,
  rules: CacheRules,
  times: ExchangeTimes,
): StorageDecision {
  const fields = fieldsOf(received);
  const directives = readResponseDirectives(fields, rules.targeted);
  const varyNames = parseVary(fields.all('vary'));
  const refusal = refusalOf(request, received.status, fields, directives, rules);
  if (refusal !== undefined) return refuse(refusal, received.status);
  if (varyNames === '*') return refuse('vary', received.status);
  const removed = new Set([...neverKept, ...directives.withheldFields]);
  if (!directives.withheldFields.has('set-cookie') && fields.has('set-cookie')) {
    if (!rules.storeSetCookie) return refuse('set-cookie', received.status);
    removed.add('set-cookie');
  }
  const response = describeResponse(received, fields, directives, removed, rules, times);
  if (typeof response === 'string') return refuse(response, received.status);
  return { store: true, response, varyNames, removedFields: presentOf(removed, fields) };
}

/** Fields that are not kept of any response (RFC 9111 section 3.1), should they stand in its block. */
export const neverKept: readonly string[] = [...hopByHopFields, 'age', 'content-length', 'date'];

function refusalOf(
  request: PolicyRequest,
  status: number,
  fields: HeaderFields,
  directives: ResponseDirectives,
  rules: CacheRules,
): NotStoredReason | undefined {
  if (request.method !== 'GET') return 'method';
  if (rules.obeyRequest && forbidsStoring(request.fields)) return 'request-no-store';
  if (status < 200 || neverStoredStatuses.has(status) || fields.has('content-range')) return 'status';
  const understood = understoodStatuses.has(status);
  if (directives.mustUnderstand && !understood) return 'not-understood';
  if (directives.noStore && !directives.mustUnderstand) return 'no-store';
  if (directives.private) return 'private';
  if (request.fields.has('authorization') && !allowsAuthorized(directives)) return 'authorization';
  return undefined;
}

/** Whether a response to a request with Authorization may be stored and used again (RFC 9111 section 3.5). */
export function allowsAuthorized(directives: ResponseDirectives): boolean {
  return directives.public || directives.mustRevalidate || directives.sharedMaxAge !== undefined;
}

/** What is kept of a response that may be stored, or why it would be of no use. */
export function describeResponse(
  received: ReceivedResponse,
  fields: HeaderFields,
  directives: ResponseDirectives,
  removed: ReadonlySet<string>,
  rules: CacheRules,
  times: ExchangeTimes,
): StorableResponse | 'nothing-said' | 'stale' {
  const { date, initialAge } = ageBaseOf(fields, times);
  const freshness = freshnessOf(received.status, fields, directives, date, rules);
  const decidedBy = decisionOf(freshness, directives);
  if (decidedBy === undefined) return 'nothing-said';
  const modified = removed.has('last-modified') ? undefined : dateOf(fields, 'last-modified', Math.floor(date / 1000));
  const response: StorableResponse = {
    status: received.status,
    block: Buffer.from(withoutFieldLines(received.block, removed)),
    requestTime: times.requestTime,
    responseTime: times.responseTime,
    date,
    initialAge,
    lifetime: freshness.lifetime,
    staleWhileRevalidate: windowOf(directives.staleWhileRevalidate, rules.staleWhileRevalidate),
    staleIfError: windowOf(directives.staleIfError, rules.staleIfError),
    // RFC 9111 section 5.2.2.10: s-maxage says what proxy-revalidate says.
    mustRevalidate: directives.mustRevalidate || directives.proxyRevalidate || directives.sharedMaxAge !== undefined,
    alwaysRevalidate: directives.noCache,
    // An empty one names nothing.
    etag: removed.has('etag') ? undefined : fields.get('etag') || undefined,
    lastModified: modified === undefined ? undefined : modified * 1000,
    tags: tagsOf(fields),
    decidedBy,
  };
  return canBeUsed(response) ? response : 'stale';
}

/** The field or option by which a response is stored at all; undefined when none says so. */
function decisionOf(
  freshness: Freshness,
  { source, noCache, public: isPublic }: ResponseDirectives,
): string | undefined {
  if (freshness.decidedBy !== undefined) return freshness.decidedBy;
  if (noCache) return `${source}: no-cache`;
  return isPublic ? `${source}: public` : undefined;
}

/** Whether a stored response could ever answer: while fresh, in a time of grace, or after its validation. */
function canBeUsed(response: StorableResponse): boolean {
  if (response.etag !== undefined || response.lastModified !== undefined) return true;
  if (response.alwaysRevalidate) return false;
  if (response.lifetime > response.initialAge) return true;
  if (response.mustRevalidate) return false;
  const grace = Math.max(response.staleWhileRevalidate, response.staleIfError);
  return response.lifetime + grace > response.initialAge;
}

function windowOf(seconds: number | undefined, ofRules: number): number {
  return seconds === undefined ? ofRules : seconds * 1000;
}

function refuse(reason: NotStoredReason, status: number): StorageDecision {
  const ofRequest = requestReasons.has(reason);
  return { store: false, reason, rememberMs: ofRequest ? 0 : status >= 500 ? rememberErrorMs : rememberResponseMs };
}

function presentOf(removed: ReadonlySet<string>, fields: HeaderFields): string[] {
  return [...removed].filter((name) => fields.has(name));
}
