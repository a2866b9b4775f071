import { HeaderFields } from '../http/header-fields.ts';
import type { RequestContext } from '../request/request-context.ts';
import { CacheBypass } from './cache-bypass.ts';
import { CacheKey, variantKey } from './cache-key.ts';
import type { CacheRules } from './cache-rules.ts';
import { explain } from './policy/explanation.ts';
import { judgeReuse, type ReuseVerdict } from './policy/reuse.ts';
import { variantOf } from './policy/variant.ts';
import type { ResponseStore, StoreEntry } from './response-store.ts';
import type { VaryMarker } from './stored-response.ts';

/** What `portico cache why` shows: plain data. Times are ISO 8601 in UTC. */
export interface CacheExplanation {
  readonly url: string;
  readonly site: string;
  readonly route: string;
  /** Undefined where nothing is cached. */
  readonly zone?: string;
  readonly key?: string;
  /** Names of the request fields that choose between variants. */
  readonly varies?: readonly string[];
  /** What a request like this one would meet now. */
  readonly request: { readonly result: RequestResult; readonly why: string };
  readonly stored: readonly StoredExplanation[];
}

/** What has to be known of a route with a cache. */
export interface ExplainedRoute {
  readonly rules: CacheRules;
  readonly store: ResponseStore;
}

/** `uncached`: the route has no cache. */
export type RequestResult = 'hit' | 'stale' | 'revalidate' | 'miss' | 'bypass' | 'uncached';

/** One stored response. */
export interface StoredExplanation {
  /** The request fields that it answers, as `name: value`; empty where the key does not vary. */
  readonly variant: readonly string[];
  /** Whether it is the one for this request. */
  readonly chosen: boolean;
  readonly source: 'memory' | 'disk';
  readonly status: number;
  readonly bytes: number;
  readonly tags: readonly string[];
  readonly storedAt: string;
  readonly ageSeconds: number;
  readonly lifetimeSeconds: number;
  /** The field or option that decided the lifetime. */
  readonly decidedBy: string;
  /** `purged`: by a soft order; it is taken as stale. */
  readonly state: 'fresh' | 'stale' | 'always-revalidate' | 'purged';
  readonly freshUntil: string;
  readonly staleWhileRevalidateUntil: string;
  readonly staleIfErrorUntil: string;
  readonly sentences: readonly string[];
}

/** Codings as clients ask for them, for a look at the variants that others have. */
const usualCodings = ['', 'gzip', 'gzip, br', 'gzip, br, zstd', 'br', 'zstd'];

/** What is stored for a request, and what it would meet. Nothing changes by it, and nothing is asked of the upstream. */
export async function explainRequest(
  context: RequestContext,
  cached: ExplainedRoute | undefined,
  now: number,
): Promise<CacheExplanation> {
  const { head } = context.exchange;
  const base = {
    url: `${context.client?.scheme ?? context.exchange.connection.scheme}://${head.host}${head.target}`,
    site: context.route?.site ?? 'none',
    route: context.route?.name ?? 'none',
  };
  if (cached === undefined) {
    const why = context.route === undefined ? 'No route takes such a request.' : 'The route has no cache.';
    return { ...base, request: { result: 'uncached', why }, stored: [] };
  }
  const { rules } = cached;
  const key = new CacheKey(rules.key).of(context);
  const first = await find(cached, key);
  const names = first !== undefined && 'names' in first ? first.names : [];
  const chosen = names.length === 0 ? entryOf(first) : await variantFor(cached, key, names, head.fields);
  const stored = chosen === undefined ? [] : [describe(cached, chosen, true, now)];
  for (const other of await others(cached, key, names, head.fields)) {
    if (other.response.variant !== chosen?.response.variant) stored.push(describe(cached, other, false, now));
  }
  const varies = names.length === 0 ? {} : { varies: names };
  const request = requestResult(context, cached, chosen, now);
  return { ...base, zone: rules.zone, key, ...varies, request, stored };
}

function requestResult(
  { exchange: { head } }: RequestContext,
  cached: ExplainedRoute,
  entry: StoreEntry | undefined,
  now: number,
): CacheExplanation['request'] {
  if (new CacheBypass(cached.rules.bypass).concerns(head)) {
    return { result: 'bypass', why: 'The request has a cookie, a field or a parameter that bypass names.' };
  }
  if (entry === undefined) {
    return { result: 'miss', why: 'Nothing that may answer it is stored: the upstream is asked.' };
  }
  const { verdict, reason } = judgeReuse(entry.response, head, cached.rules, now);
  if (entry.purged && (verdict === 'fresh' || verdict === 'stale')) {
    return { result: 'revalidate', why: 'It was purged softly: the upstream is asked whether it is still valid.' };
  }
  return { result: results[verdict], why: sentences[reason] };
}

const results: Readonly<Record<ReuseVerdict, RequestResult>> = {
  fresh: 'hit',
  stale: 'stale',
  'stale-while-revalidate': 'stale',
  revalidate: 'revalidate',
  fetch: 'miss',
  'gateway-timeout': 'miss',
};

const sentences: Readonly<Record<ReturnType<typeof judgeReuse>['reason'], string>> = {
  fresh: 'What is stored is fresh.',
  stale: 'What is stored is stale: the upstream is asked whether it is still valid.',
  'always-revalidate': 'What is stored has to be validated before each use (no-cache).',
  'must-revalidate': 'What is stored is stale and must not be used so (must-revalidate, proxy-revalidate or s-maxage).',
  'request-method': 'The method of the request is never answered from the cache.',
  'request-authorization':
    'The request has Authorization, and what is stored does not say that it may answer such a one.',
  'request-no-cache': 'The request says no-cache, and the route obeys requests.',
  'request-max-age': 'What is stored is older than the max-age of the request, and the route obeys requests.',
  'request-min-fresh': 'What is stored is not fresh for as long as the request wants (min-fresh).',
  'request-max-stale': 'What is stored is stale, which the request allows (max-stale).',
  'stale-while-revalidate': 'What is stored is stale, is used all the same and renewed meanwhile.',
};

function describe({ rules }: ExplainedRoute, entry: StoreEntry, chosen: boolean, now: number): StoredExplanation {
  const { response, source, purged } = entry;
  const policy = explain(response, now, rules);
  return {
    variant: response.variant.split('\n').filter((line) => line !== ''),
    chosen,
    source,
    status: response.status,
    bytes: response.bodyLength,
    tags: response.tags,
    storedAt: new Date(response.responseTime).toISOString(),
    ageSeconds: policy.age,
    lifetimeSeconds: Math.floor(policy.lifetime / 1000),
    decidedBy: policy.decidedBy,
    state: purged ? 'purged' : policy.state,
    freshUntil: isoTime(policy.freshUntil),
    staleWhileRevalidateUntil: isoTime(policy.staleWhileRevalidateUntil),
    staleIfErrorUntil: isoTime(policy.staleIfErrorUntil),
    sentences: policy.sentences,
  };
}

/** Variants that requests which differ in usual ways would get. */
async function others(
  cached: ExplainedRoute,
  key: string,
  names: readonly string[],
  fields: HeaderFields,
): Promise<StoreEntry[]> {
  const found = new Map<string, StoreEntry>();
  for (const asked of names.length === 0 ? [] : usualRequests(cached, names, fields)) {
    const entry = await variantFor(cached, key, names, asked);
    if (entry !== undefined) found.set(entry.response.variant, entry);
  }
  return [...found.values()];
}

function usualRequests({ rules }: ExplainedRoute, names: readonly string[], fields: HeaderFields): HeaderFields[] {
  const codings = names.includes('accept-encoding') ? usualCodings : [undefined];
  const languages = names.includes('accept-language') ? (rules.normalizeVary.acceptLanguage ?? ['']) : [undefined];
  return codings.flatMap((coding) =>
    languages.map((language) => withField(withField(fields, 'accept-encoding', coding), 'accept-language', language)),
  );
}

/** @param value '' takes the field away, undefined leaves it */
function withField(fields: HeaderFields, name: string, value: string | undefined): HeaderFields {
  if (value === undefined) return fields;
  const others: string[] = [];
  for (let index = 0; index < fields.entries.length; index += 2) {
    const [former = '', text = ''] = fields.entries.slice(index, index + 2);
    if (former !== name) others.push(former, text);
  }
  return new HeaderFields(value === '' ? others : [...others, name, value]);
}

async function variantFor(
  cached: ExplainedRoute,
  key: string,
  names: readonly string[],
  fields: HeaderFields,
): Promise<StoreEntry | undefined> {
  return entryOf(await find(cached, variantKey(key, variantOf(names, fields, cached.rules.normalizeVary))));
}

function find({ store }: ExplainedRoute, storeKey: string): Promise<StoreEntry | VaryMarker | undefined> {
  return new Promise((resolve) => store.find(storeKey, resolve));
}

function entryOf(found: StoreEntry | VaryMarker | undefined): StoreEntry | undefined {
  return found !== undefined && 'response' in found ? found : undefined;
}

/** Lifetimes may be longer than dates reach. */
function isoTime(time: number): string {
  return new Date(Math.min(time, 8_640_000_000_000_000)).toISOString();
}
