import { parseCacheControl } from '../../http/cache-control.ts';
import { parseDeltaSeconds } from '../../http/delta-seconds.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import { targetedDirectives } from './targeted-directives.ts';

/** A directive as the response says it, wherever that is. */
export interface SaidDirective {
  readonly name: string;
  readonly value: string | undefined;
  readonly malformed: boolean;
}

/** What a response says about being cached (RFC 9111 section 5.2.2), resolved to one meaning. Times in seconds. */
export interface ResponseDirectives {
  /** The field that all of it comes from. */
  readonly source: 'Cache-Control' | 'CDN-Cache-Control' | 'Surrogate-Control';
  readonly maxAge: number | undefined;
  readonly sharedMaxAge: number | undefined;
  readonly noStore: boolean;
  /** Unqualified: of the whole response. */
  readonly noCache: boolean;
  readonly private: boolean;
  /** The fields that a qualified `no-cache` or `private` names, in lower case. */
  readonly withheldFields: ReadonlySet<string>;
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly immutable: boolean;
  readonly staleWhileRevalidate: number | undefined;
  readonly staleIfError: number | undefined;
}

/**
 * Reads what counts for this cache: the first targeted field that is valid and not empty (RFC 9213 section 2.2), else
 * Cache-Control.
 * @param targeted whether targeted fields count
 */
export function readResponseDirectives(fields: HeaderFields, targeted: boolean): ResponseDirectives {
  const said = targeted ? targetedDirectives(fields) : undefined;
  if (said !== undefined) return resolveDirectives(said.directives, said.source);
  const value = fields.list('cache-control');
  return resolveDirectives(value === undefined ? [] : parseCacheControl(value), 'Cache-Control');
}

function resolveDirectives(said: readonly SaidDirective[], source: ResponseDirectives['source']): ResponseDirectives {
  const names = new Set(said.map(({ name }) => name));
  const withheldFields = new Set<string>();
  return {
    source,
    maxAge: secondsOf(said, 'max-age'),
    sharedMaxAge: secondsOf(said, 's-maxage'),
    noStore: names.has('no-store'),
    noCache: readQualified(said, 'no-cache', withheldFields),
    private: readQualified(said, 'private', withheldFields),
    withheldFields,
    public: names.has('public'),
    mustRevalidate: names.has('must-revalidate'),
    proxyRevalidate: names.has('proxy-revalidate'),
    mustUnderstand: names.has('must-understand'),
    immutable: names.has('immutable'),
    staleWhileRevalidate: secondsOf(said, 'stale-while-revalidate'),
    staleIfError: secondsOf(said, 'stale-if-error'),
  };
}

/**
 * A number of seconds. What is no number, or said twice with different values, counts as 0: RFC 9111 section 4.2.1 has
 * such a response considered stale.
 */
function secondsOf(said: readonly SaidDirective[], name: string): number | undefined {
  let found: number | undefined;
  for (const directive of said) {
    if (directive.name !== name) continue;
    const seconds = directive.malformed ? 0 : (parseDeltaSeconds(directive.value ?? '') ?? 0);
    if (found !== undefined && found !== seconds) return 0;
    found = seconds;
  }
  return found;
}

/**
 * Adds the fields that a directive is limited to. @returns whether it is there without such a limit, or with one that
 * cannot be read: then it is of the whole response
 */
function readQualified(said: readonly SaidDirective[], name: string, withheld: Set<string>): boolean {
  let unqualified = false;
  for (const directive of said) {
    if (directive.name !== name) continue;
    const fields = directive.malformed ? undefined : fieldNames(directive.value ?? '');
    if (fields === undefined || fields.length === 0) unqualified = true;
    else for (const field of fields) withheld.add(field);
  }
  return unqualified;
}

function fieldNames(list: string): string[] | undefined {
  const names: string[] = [];
  for (const member of list.split(',')) {
    const name = member.trim().toLowerCase();
    if (name === '') continue;
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return undefined;
    names.push(name);
  }
  return names;
}
