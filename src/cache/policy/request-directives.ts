import { type CacheDirective, parseCacheControl } from '../../http/cache-control.ts';
import { parseDeltaSeconds } from '../../http/delta-seconds.ts';
import type { HeaderFields } from '../../http/header-fields.ts';

/** What a request says about being answered from a cache (RFC 9111 section 5.2.1). Times in milliseconds. */
export interface RequestDirectives {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  /** The oldest response that is welcome. */
  readonly maxAge: number | undefined;
  /** For how long it shall still be fresh. */
  readonly minFresh: number | undefined;
  /** How long it may have been stale; Infinity for any time. */
  readonly maxStale: number | undefined;
  readonly staleIfError: number | undefined;
}

/** @returns undefined for a request that says nothing, as nearly all */
export function readRequestDirectives(fields: HeaderFields): RequestDirectives | undefined {
  const field = fields.list('cache-control');
  if (field === undefined) return saysPragmaNoCache(fields) ? pragmaNoCache : undefined;
  const said = parseCacheControl(field);
  return {
    noCache: has(said, 'no-cache'),
    noStore: has(said, 'no-store'),
    onlyIfCached: has(said, 'only-if-cached'),
    maxAge: smallest(said, 'max-age', 0),
    // What cannot be read asks for more than any response has.
    minFresh: largest(said, 'min-fresh'),
    maxStale: maxStaleOf(said),
    staleIfError: smallest(said, 'stale-if-error', 0),
  };
}

/** Whether the response to a request must not be stored (RFC 9111 section 5.2.1.5). */
export function forbidsStoring(fields: HeaderFields): boolean {
  return readRequestDirectives(fields)?.noStore ?? false;
}

const pragmaNoCache: RequestDirectives = {
  noCache: true,
  noStore: false,
  onlyIfCached: false,
  maxAge: undefined,
  minFresh: undefined,
  maxStale: undefined,
  staleIfError: undefined,
};

/** RFC 9111 section 5.4: Pragma counts where there is no Cache-Control. */
function saysPragmaNoCache(fields: HeaderFields): boolean {
  const field = fields.list('pragma');
  return field !== undefined && has(parseCacheControl(field), 'no-cache');
}

function has(said: readonly CacheDirective[], name: string): boolean {
  return said.some((directive) => directive.name === name);
}

/** Of several the smallest; what cannot be read is taken for `otherwise`. */
function smallest(said: readonly CacheDirective[], name: string, otherwise: number): number | undefined {
  let found: number | undefined;
  for (const directive of said) {
    if (directive.name !== name) continue;
    found = Math.min(found ?? Number.POSITIVE_INFINITY, (parseDeltaSeconds(directive.value ?? '') ?? otherwise) * 1000);
  }
  return found;
}

function largest(said: readonly CacheDirective[], name: string): number | undefined {
  let found: number | undefined;
  for (const directive of said) {
    if (directive.name !== name) continue;
    const seconds = parseDeltaSeconds(directive.value ?? '') ?? Number.POSITIVE_INFINITY;
    found = Math.max(found ?? 0, seconds * 1000);
  }
  return found;
}

/** Without a value any age is welcome; with one that cannot be read, none. */
function maxStaleOf(said: readonly CacheDirective[]): number | undefined {
  const values = said.filter(({ name }) => name === 'max-stale');
  if (values.length === 0) return undefined;
  return values.every(({ value }) => value === undefined) ? Number.POSITIVE_INFINITY : smallestValued(values);
}

function smallestValued(values: readonly CacheDirective[]): number {
  const valued = values.filter(({ value }) => value !== undefined);
  return smallest(valued, 'max-stale', 0) ?? 0;
}
