import assert from 'node:assert/strict';
import type { CacheRules } from '../../src/cache/cache-rules.ts';
import type { PolicyRequest, ReceivedResponse } from '../../src/cache/policy/received-response.ts';
import { judgeReuse, type Reuse } from '../../src/cache/policy/reuse.ts';
import { judgeStorage, type StorageDecision } from '../../src/cache/policy/storage.ts';
import type { StoredResponse } from '../../src/cache/stored-response.ts';
import { formatHttpDate } from '../../src/http/date.ts';
import { HeaderFields } from '../../src/http/header-fields.ts';

/** When responses come in, unless a test says otherwise; milliseconds since 1970. */
export const noon = Date.UTC(2026, 10, 22, 12);

/** A route that says nothing: what is stored, and for how long, is the response's own affair. */
export const plainRules: CacheRules = {
  zone: 'default',
  ttl: 0,
  ttlByStatus: {},
  heuristic: undefined,
  obeyRequest: false,
  storeSetCookie: false,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  bypass: { cookies: [], headers: [], query: [] },
  key: { host: true, query: { mode: 'all', names: [], sort: false }, headers: [], cookies: [] },
  maxEntry: 1 << 30,
  collapse: 0,
  cacheStatus: undefined,
  xCache: false,
  targeted: true,
  normalizeVary: { acceptEncoding: false, acceptLanguage: undefined },
};

/** Rules of a route that obeys what requests say. */
export const obeyingRules: CacheRules = { ...plainRules, obeyRequest: true };

/** `Name: value` lines as fields. */
export function fieldsFrom(lines: readonly string[]): HeaderFields {
  const fields = new HeaderFields();
  for (const line of lines) {
    const colon = line.indexOf(':');
    fields.append(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

export function policyRequest(lines: readonly string[] = [], method = 'GET'): PolicyRequest {
  return { method, fields: fieldsFrom(lines) };
}

/** What the parser reads and leaves out of the block. */
const keptBack = new Set(['date', 'age', 'cache-tag', 'surrogate-key', 'surrogate-control']);

/** A response as the parser hands it over. */
export function receivedResponse(lines: readonly string[], status = 200): ReceivedResponse {
  const directives: string[] = [];
  let block = `${status} Some reason`;
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    if (keptBack.has(name)) directives.push(name, line.slice(line.indexOf(':') + 1).trim());
    else block += `\r\n${line}`;
  }
  return {
    status,
    block: Buffer.from(block, 'latin1'),
    directives: directives.length === 0 ? undefined : directives,
  };
}

/** What may differ from one exchange to the other. */
export interface ExchangeOptions {
  readonly status?: number;
  readonly request?: PolicyRequest;
  readonly rules?: CacheRules;
  /** Milliseconds from sending the request to the head of its response. */
  readonly delayMs?: number;
}

/** Asks whether a response that comes at noon may be stored. */
export function judge(lines: readonly string[], options: ExchangeOptions = {}): StorageDecision {
  const { status = 200, request = policyRequest(), rules = plainRules, delayMs = 0 } = options;
  const times = { requestTime: noon - delayMs, responseTime: noon };
  return judgeStorage(request, receivedResponse(lines, status), rules, times);
}

/** `stored`, or why not. */
export function storage(lines: readonly string[], options: ExchangeOptions = {}): string {
  const decision = judge(lines, options);
  return decision.store ? 'stored' : decision.reason;
}

/** A response that comes at noon and is stored. */
export function storedResponse(lines: readonly string[], options: ExchangeOptions = {}): StoredResponse {
  const decision = judge(lines, options);
  if (!decision.store) assert.fail(`not stored: ${decision.reason}`);
  return { ...decision.response, key: 'k', variant: '', bodyLength: 5 };
}

/** What to do with a response that came at noon when a request comes some seconds later. */
export function reuseAfter(seconds: number, lines: readonly string[], options: ReuseOptions = {}): Reuse {
  const { by = policyRequest(), rules = plainRules } = options;
  return judgeReuse(storedResponse(lines, options), by, rules, noon + seconds * 1000);
}

export interface ReuseOptions extends ExchangeOptions {
  /** The later request. */
  readonly by?: PolicyRequest;
}

/** A date so many seconds behind noon. */
export function dateAfter(seconds: number): string {
  return formatHttpDate(noon / 1000 + seconds);
}

/** The fields of a stored response as lines, the status line first. */
export function storedLines(stored: Pick<StoredResponse, 'block'>): string[] {
  return stored.block.toString('latin1').split('\r\n');
}
