import { HeaderFields } from '../http/header-fields.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { CacheRules } from './cache-rules.ts';
import { clientConditionFields, conditionalFields } from './policy/validation.ts';
import { normalizedAcceptEncoding, normalizedAcceptLanguage } from './policy/variant.ts';
import type { StoredResponse } from './stored-response.ts';

const conditions: ReadonlySet<string> = new Set(clientConditionFields);
const parts: ReadonlySet<string> = new Set(['range', 'if-range']);

/**
 * The head of a request by which the cache asks for the whole response: without the client's conditions and ranges, with the
 * cache's own for what is stored, and with the normal form of what the route normalises, so that the response fits all for
 * whom it will be found.
 * @param passesConditions leaves the client its conditions, where nothing is stored that could answer them
 */
export function upstreamRequest(
  head: RequestHead,
  { normalizeVary }: Pick<CacheRules, 'normalizeVary'>,
  stored: StoredResponse | undefined,
  passesConditions = false,
): RequestHead {
  const { acceptEncoding, acceptLanguage } = normalizeVary;
  const replaced = new Set(passesConditions && stored === undefined ? parts : conditions);
  const kept: string[] = [];
  const add = (name: string, value: string): void => {
    replaced.add(name);
    if (value !== '') kept.push(name, value);
  };
  if (acceptEncoding) add('accept-encoding', normalizedAcceptEncoding(head.fields));
  if (acceptLanguage !== undefined) add('accept-language', normalizedAcceptLanguage(head.fields, acceptLanguage));
  const { entries } = head.fields;
  const fields: string[] = [];
  for (let index = 0; index < entries.length; index += 2) {
    const name = entries[index] as string;
    if (!replaced.has(name)) fields.push(name, entries[index + 1] as string);
  }
  fields.push(...kept);
  if (stored !== undefined) fields.push(...conditionalFields(stored));
  const { method, target, rawPath, query, host, protocol } = head;
  const sent = new HeaderFields(fields);
  return {
    method: method === 'HEAD' ? 'GET' : method,
    ...(protocol === undefined ? {} : { protocol }),
    target,
    rawPath,
    query,
    host,
    fields: sent,
    peek: (name) => sent.peek(name),
  };
}
