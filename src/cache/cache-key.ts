import type { Exchange } from '../listener/exchange.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { CacheKeyRules } from './cache-rules.ts';
import { NamePatterns } from './name-patterns.ts';
import { cookie, field } from './request-field.ts';

/** Stands between what a key has behind the URL; no field can hold it. */
const separator = '\n';
/**
 * What a trusted proxy may say of a request that an application makes its links from, or even chooses its answer by. Should
 * the proxy pass on what its clients say, one of them must not choose what others get.
 */
const claims = [
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-scheme',
  'x-url-scheme',
  'front-end-https',
  'x-original-host',
  'x-original-proto',
  'x-original-url',
  'x-rewrite-url',
  'x-script-name',
] as const;
/** Between a key and what distinguishes its variants. */
const variantSeparator = '\n\n';

/**
 * Makes the keys of a route: `host/path?query` as the client wrote them, then behind a space the scheme where it is https,
 * and what else the route counts. Byte for byte: two spellings of one path are two keys, because upstream they are two
 * requests, whose answers may differ.
 */
export class CacheKey {
  private readonly rules: CacheKeyRules;
  private readonly names: NamePatterns;
  private readonly wholeTarget: boolean;
  private readonly more: boolean;

  constructor(rules: CacheKeyRules) {
    const { query, headers, cookies } = rules;
    this.rules = rules;
    this.names = new NamePatterns(query.names);
    this.wholeTarget = query.mode === 'all' && !query.sort;
    this.more = headers.length > 0 || cookies.length > 0;
  }

  /** Whether the host, the target and the scheme are all there is in a key. */
  get isOfTarget(): boolean {
    return this.wholeTarget && !this.more;
  }

  /** The key of a request that comes from its client directly, where `isOfTarget`. */
  ofTarget({ head, connection }: Exchange): string {
    const { host, query, rawPath } = head;
    const target = query === undefined || query === '' ? rawPath : `${rawPath}?${query}`;
    const key = this.rules.host ? host + target : target;
    return connection.scheme === 'https' ? `${key} https` : key;
  }

  of({ exchange, client }: RequestContext): string {
    const { head } = exchange;
    let key = this.rules.host ? (client?.host ?? head.host) : '';
    key += this.wholeTarget ? head.target : head.rawPath + this.query(head.query);
    const isHttps = (client?.scheme ?? exchange.connection.scheme) === 'https';
    const trusted = client?.trusted === true;
    if (!this.more && !trusted) return isHttps ? `${key} https` : key;
    const rest = this.rest(head) + (trusted ? this.claimed(head, client.host) : '');
    return isHttps || rest !== '' ? `${key} ${isHttps ? 'https' : ''}${rest}` : key;
  }

  private query(query: string | undefined): string {
    const { mode, sort } = this.rules.query;
    if (query === undefined || query === '' || mode === 'none') return '';
    const kept = mode === 'all' ? query.split('&') : query.split('&').filter((one) => this.counts(one));
    if (kept.length === 0) return '';
    // By name alone: values of one name in their order, which may mean something.
    if (sort) kept.sort((one, other) => compare(parameterName(one), parameterName(other)));
    return `?${kept.join('&')}`;
  }

  private counts(parameter: string): boolean {
    return this.names.matches(parameterName(parameter)) === (this.rules.query.mode === 'only');
  }

  /** Fields and cookies; one that is missing differs from one that is empty. */
  private rest(head: RequestHead): string {
    let text = '';
    for (const name of this.rules.headers) text += separator + valueText(name, field(head, name));
    for (const name of this.rules.cookies) text += separator + valueText(`cookie ${name}`, cookie(head, name));
    return text;
  }

  private claimed(head: RequestHead, host: string): string {
    let text = head.host !== host && this.rules.host ? separator + valueText('host', head.host) : '';
    for (const name of claims) {
      const value = field(head, name);
      if (value !== undefined) text += separator + valueText(name, value);
    }
    return text;
  }
}

/** Under which a variant of a key is stored. */
export function variantKey(key: string, variant: string): string {
  return key + variantSeparator + variant;
}

function valueText(name: string, value: string | undefined): string {
  return value === undefined ? name : `${name}: ${value}`;
}

/** Percent escapes stay: a name that is written otherwise is another one. */
function parameterName(parameter: string): string {
  const end = parameter.indexOf('=');
  return end < 0 ? parameter : parameter.slice(0, end);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
