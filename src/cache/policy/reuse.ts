import { readFieldLines } from '../../http/field-lines.ts';
import type { CacheRules } from '../cache-rules.ts';
import type { StoredResponse } from '../stored-response.ts';
import { ageMsOf } from './age.ts';
import type { PolicyRequest } from './received-response.ts';
import { type RequestDirectives, readRequestDirectives } from './request-directives.ts';
import { readResponseDirectives } from './response-directives.ts';
import { allowsAuthorized } from './storage.ts';

/** What to do with a stored response that was found for a request. */
export type ReuseVerdict =
  /** Answer with it. */
  | 'fresh'
  /** Answer with it although it is stale: the request allows it (`max-stale`). */
  | 'stale'
  /** Answer with it, and renew it in the background. */
  | 'stale-while-revalidate'
  /** Ask the upstream first, with `conditionalFields`; when that fails, it may answer until `onErrorUntil`. */
  | 'revalidate'
  /** As if nothing was stored; what is stored stays. */
  | 'fetch'
  /** The request wants no more than what is stored, and that will not do: 504. */
  | 'gateway-timeout';

/** Why; stable words, for Cache-Status and explanations. */
export type ReuseReason =
  | 'fresh'
  | 'stale'
  | 'always-revalidate'
  | 'must-revalidate'
  | 'request-method'
  | 'request-authorization'
  | 'request-no-cache'
  | 'request-max-age'
  | 'request-min-fresh'
  | 'request-max-stale'
  | 'stale-while-revalidate';

/** What of a stored response counts; that of one under way is known, but for the length of its body. */
type JudgedResponse = Omit<StoredResponse, 'bodyLength'>;

export interface Reuse {
  readonly verdict: ReuseVerdict;
  readonly reason: ReuseReason;
  /** The value of the Age field, should it answer now. */
  readonly age: number;
  /** Milliseconds since 1970 up to which it may answer when the upstream fails; 0 for never. */
  readonly onErrorUntil: number;
}

/**
 * Whether a stored response may answer a request (RFC 9111 section 4, RFC 5861). Key, variant and purges are settled before.
 * @param now milliseconds since 1970
 */
export function judgeReuse(stored: JudgedResponse, request: PolicyRequest, rules: CacheRules, now: number): Reuse {
  const ageMs = ageMsOf(stored, now);
  const { method, fields } = request;
  if (method !== 'GET' && method !== 'HEAD') return reuse('fetch', 'request-method', ageMs, 0);
  if (fields.has('authorization') && !answersAuthorized(stored, rules)) {
    return reuse('fetch', 'request-authorization', ageMs, 0);
  }
  const wishes = rules.obeyRequest ? readRequestDirectives(fields) : undefined;
  if (wishes !== undefined) return judgeWished(stored, wishes, rules, ageMs, now);
  if (!stored.alwaysRevalidate && stored.lifetime > ageMs) return reuse('fresh', 'fresh', ageMs, 0);
  return judgeStale(stored, ageMs, stored.staleIfError, now);
}

/**
 * Whether a response that comes in for one request may answer another one that has waited for it: as if it had been stored
 * before (RFC 9111 section 4). One with `no-cache`, or stale as it comes, answers only the request that it was made for.
 */
export function mayAnswerWaiting(
  response: JudgedResponse,
  request: PolicyRequest,
  rules: CacheRules,
  now: number,
): boolean {
  const { verdict } = judgeReuse(response, request, rules, now);
  return verdict === 'fresh' || verdict === 'stale' || verdict === 'stale-while-revalidate';
}

/** Whether a request that wants only what is stored is to be answered 504 when nothing is (RFC 9111 section 5.2.1.7). */
export function wantsOnlyStored(request: PolicyRequest, rules: CacheRules): boolean {
  return rules.obeyRequest && (readRequestDirectives(request.fields)?.onlyIfCached ?? false);
}

function judgeWished(
  stored: JudgedResponse,
  wishes: RequestDirectives,
  rules: CacheRules,
  ageMs: number,
  now: number,
): Reuse {
  const judged = judgeWishes(stored, wishes, rules, ageMs, now);
  if (!wishes.onlyIfCached || judged.verdict === 'fresh' || judged.verdict === 'stale') return judged;
  return judged.verdict === 'stale-while-revalidate'
    ? judged
    : reuse('gateway-timeout', judged.reason, ageMs, judged.onErrorUntil);
}

function judgeWishes(
  stored: JudgedResponse,
  wishes: RequestDirectives,
  rules: CacheRules,
  ageMs: number,
  now: number,
): Reuse {
  const staleIfError = Math.max(stored.staleIfError, wishes.staleIfError ?? 0);
  const refused = refusedFor(stored, wishes, rules, ageMs);
  if (refused !== undefined) return reuse('revalidate', refused, ageMs, errorUntil(stored, staleIfError, now, ageMs));
  if (!stored.alwaysRevalidate && stored.lifetime > ageMs) return reuse('fresh', 'fresh', ageMs, 0);
  const { maxStale } = wishes;
  const mayBeStale = maxStale !== undefined && !stored.alwaysRevalidate && !stored.mustRevalidate;
  if (mayBeStale && ageMs - stored.lifetime <= maxStale) return reuse('stale', 'request-max-stale', ageMs, 0);
  return judgeStale(stored, ageMs, staleIfError, now);
}

/** Why a request does not take what is stored as it is; undefined when it does, as far as it is fresh. */
function refusedFor(
  stored: JudgedResponse,
  wishes: RequestDirectives,
  rules: CacheRules,
  ageMs: number,
): ReuseReason | undefined {
  if (wishes.noCache) return 'request-no-cache';
  if (wishes.minFresh !== undefined && stored.lifetime - ageMs < wishes.minFresh) return 'request-min-fresh';
  const { maxAge } = wishes;
  if (maxAge === undefined || ageMs <= maxAge) return undefined;
  // A reload asks for max-age=0; RFC 8246: there is nothing to be asked while it is fresh.
  if (maxAge === 0 && stored.lifetime > ageMs && isImmutable(stored, rules)) return undefined;
  return 'request-max-age';
}

function judgeStale(stored: JudgedResponse, ageMs: number, staleIfError: number, now: number): Reuse {
  if (stored.alwaysRevalidate) return reuse('revalidate', 'always-revalidate', ageMs, 0);
  if (stored.mustRevalidate) return reuse('revalidate', 'must-revalidate', ageMs, 0);
  const staleMs = ageMs - stored.lifetime;
  const onErrorUntil = errorUntil(stored, staleIfError, now, ageMs);
  if (staleMs < stored.staleWhileRevalidate) {
    return reuse('stale-while-revalidate', 'stale-while-revalidate', ageMs, onErrorUntil);
  }
  return reuse('revalidate', 'stale', ageMs, onErrorUntil);
}

/** Until when an answer may be made of it while the upstream fails: as long as it is fresh, and the time of grace behind that. */
function errorUntil(stored: JudgedResponse, staleIfError: number, now: number, ageMs: number): number {
  if (stored.alwaysRevalidate) return 0;
  const until = now - ageMs + stored.lifetime + (stored.mustRevalidate ? 0 : staleIfError);
  return until > now ? until : 0;
}

/**
 * What answers requests with Authorization must say that it may (RFC 9111 section 3.5). The RFC asks for it where the stored
 * one was made for such a request; a response made without is as much of a risk where an application shows others more.
 */
function answersAuthorized(stored: JudgedResponse, rules: CacheRules): boolean {
  if (stored.decidedBy.endsWith('s-maxage')) return true;
  return allowsAuthorized(readResponseDirectives(readFieldLines(stored.block), rules.targeted));
}

function isImmutable(stored: JudgedResponse, rules: CacheRules): boolean {
  return readResponseDirectives(readFieldLines(stored.block), rules.targeted).immutable;
}

function reuse(verdict: ReuseVerdict, reason: ReuseReason, ageMs: number, onErrorUntil: number): Reuse {
  return { verdict, reason, age: Math.min(Math.floor(ageMs / 1000), 2_147_483_648), onErrorUntil };
}
