import { type CacheExplanation, explainRequest } from '../cache/cache-explanation.ts';
import { parseAskedUrl, pretendRequest } from '../cache/pretended-request.ts';
import type { ResponseStore } from '../cache/response-store.ts';
import { normalizePath } from '../request/path.ts';
import { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { SiteGraph } from './site-graph.ts';

/**
 * What the cache has for a request that nobody has sent, by the routes and stores of this worker.
 *
 * @param fields names in lower case and values, one behind the other
 * @returns why that cannot be said, as text
 */
export async function explainUrl(
  text: string,
  fields: readonly string[],
  { sites }: Pick<SiteGraph, 'sites'>,
  storeOf: (zone: string) => ResponseStore | undefined,
): Promise<CacheExplanation | string> {
  const url = parseAskedUrl(text);
  const path = url && normalizePath(url.path);
  if (url === undefined || path === undefined) return `${JSON.stringify(text)} is no URL that a client could ask for`;
  const { exchange, client } = pretendRequest(url, [...fields]);
  const context = new RequestContext(exchange, 0);
  context.client = client;
  context.path = path;
  const route = sites.find(context);
  if (!(route instanceof PorticoError)) context.route = route;
  const rules = context.route?.cache;
  const store = rules && storeOf(rules.zone);
  return explainRequest(context, rules && store && { rules, store }, Date.now());
}
