import { formatHttpDate } from '../../http/date.ts';
import { readFieldLines } from '../../http/field-lines.ts';
import type { CacheRules } from '../cache-rules.ts';
import type { StoredResponse } from '../stored-response.ts';
import { ageMsOf } from './age.ts';
import { readResponseDirectives } from './response-directives.ts';
import { allowsAuthorized, type NotStoredReason } from './storage.ts';

/** What the policy makes of a stored response at one moment, in values and in words. Times are milliseconds. */
export interface PolicyExplanation {
  readonly state: 'fresh' | 'stale' | 'always-revalidate';
  /** Whole seconds. */
  readonly age: number;
  readonly lifetime: number;
  readonly decidedBy: string;
  /** Since 1970; in the past when it is stale. */
  readonly freshUntil: number;
  /** Since 1970; equal to `freshUntil` where it must not be used stale. */
  readonly staleWhileRevalidateUntil: number;
  readonly staleIfErrorUntil: number;
  /** Sentences for people, the most important first. */
  readonly sentences: readonly string[];
}

/** Says what a stored response is good for. @param now milliseconds since 1970 */
export function explain(stored: StoredResponse, now: number, rules: CacheRules): PolicyExplanation {
  const ageMs = ageMsOf(stored, now);
  const freshUntil = now - ageMs + stored.lifetime;
  const neverStale = stored.alwaysRevalidate || stored.mustRevalidate;
  const state = stored.alwaysRevalidate ? 'always-revalidate' : stored.lifetime > ageMs ? 'fresh' : 'stale';
  return {
    state,
    age: Math.floor(ageMs / 1000),
    lifetime: stored.lifetime,
    decidedBy: stored.decidedBy,
    freshUntil,
    staleWhileRevalidateUntil: freshUntil + (neverStale ? 0 : stored.staleWhileRevalidate),
    staleIfErrorUntil: freshUntil + (neverStale ? 0 : stored.staleIfError),
    sentences: [
      stateSentence(stored, state, freshUntil, now),
      ageSentence(stored, ageMs),
      ...graceSentences(stored, freshUntil, now),
      validatorSentence(stored),
      ...authorizationSentences(stored, rules),
    ],
  };
}

const notStoredSentences: Readonly<Record<NotStoredReason, string>> = {
  method: 'Only responses to GET are stored.',
  'request-no-store': 'The request says Cache-Control: no-store, and the route obeys requests.',
  status: 'Responses with this status answer one request only.',
  'not-understood': 'The response says must-understand, and its status has no meaning known here.',
  'no-store': 'The response says no-store.',
  private: 'The response says private: it is for one user.',
  authorization:
    'The request has Authorization, and the response says neither public nor s-maxage nor must-revalidate.',
  'set-cookie': 'The response has Set-Cookie, and the route does not store such responses (storeSetCookie).',
  vary: 'The response says Vary: *: no other request can be answered with it.',
  'nothing-said': 'The response does not say how long it is fresh, and the route has no ttl for it.',
  stale: 'The response is stale at once, and has neither ETag nor Last-Modified to be validated by.',
};

/** Why a response was not stored, as a sentence. */
export function explainNotStored(reason: NotStoredReason): string {
  return notStoredSentences[reason];
}

function stateSentence(
  { decidedBy, lifetime }: StoredResponse,
  state: PolicyExplanation['state'],
  freshUntil: number,
  now: number,
): string {
  if (state === 'always-revalidate') return 'It is validated with the upstream before each use (no-cache).';
  const until = `until ${formatHttpDate(freshUntil / 1000)}`;
  const why = `${seconds(lifetime)}, decided by ${decidedBy}`;
  return state === 'fresh'
    ? `It is fresh for another ${seconds(freshUntil - now)}, ${until} (lifetime ${why}).`
    : `It has been stale for ${seconds(now - freshUntil)}; it was fresh ${until} (lifetime ${why}).`;
}

function ageSentence({ initialAge }: StoredResponse, ageMs: number): string {
  const before = initialAge >= 1000 ? `, of which ${seconds(initialAge)} before it came here (Age, Date)` : '';
  return `Its age is ${seconds(ageMs)}${before}.`;
}

function graceSentences(stored: StoredResponse, freshUntil: number, now: number): string[] {
  const { staleWhileRevalidate, staleIfError } = stored;
  if (stored.alwaysRevalidate) return [];
  if (stored.mustRevalidate) {
    const wished = staleWhileRevalidate > 0 || staleIfError > 0;
    const ignored = wished ? '; stale-while-revalidate and stale-if-error do not count' : '';
    return [`It must not be used stale (must-revalidate, proxy-revalidate or s-maxage)${ignored}.`];
  }
  const sentences: string[] = [];
  const grace = (what: string, length: number) => {
    if (length > 0) {
      const over =
        freshUntil + length <= now ? 'that time is over' : `until ${formatHttpDate((freshUntil + length) / 1000)}`;
      sentences.push(`Stale, it may be used ${what} for ${seconds(length)}: ${over}.`);
    }
  };
  grace('while it is renewed', staleWhileRevalidate);
  grace('when the upstream fails', staleIfError);
  return sentences;
}

function validatorSentence({ etag, lastModified }: StoredResponse): string {
  const validators: string[] = [];
  if (etag !== undefined) validators.push(`ETag ${etag}`);
  if (lastModified !== undefined) validators.push(`Last-Modified ${formatHttpDate(lastModified / 1000)}`);
  return validators.length === 0
    ? 'It has no validator: once stale, it is fetched anew.'
    : `It can be validated by ${validators.join(' and ')}.`;
}

function authorizationSentences(stored: StoredResponse, rules: CacheRules): string[] {
  if (stored.decidedBy.endsWith('s-maxage')) return [];
  if (allowsAuthorized(readResponseDirectives(readFieldLines(stored.block), rules.targeted))) return [];
  return ['Requests with Authorization are not answered with it.'];
}

function seconds(milliseconds: number): string {
  return `${Math.floor(milliseconds / 1000)} s`;
}
