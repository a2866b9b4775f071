import type { InterceptedResponse } from '../proxy/response-interceptor.ts';
import type { CacheUse } from './cache-use.ts';
import { invalidatedBy, invalidates } from './policy/invalidation.ts';
import { fieldsOf } from './policy/received-response.ts';

/**
 * After a response to a method that changes something, what is stored for its target goes, in every worker, and for what it
 * names as changed as well (RFC 9111 section 4.4).
 */
export function invalidateAfter(response: InterceptedResponse, use: CacheUse): void {
  const { context, key, route, exchange } = use;
  const { head } = exchange;
  if (!invalidates(head.method, response.status)) return;
  const { zone, rules } = route;
  const host = context.client?.host ?? head.host;
  const scheme = context.client?.scheme ?? exchange.connection.scheme;
  const keyHost = rules.key.host ? host : '';
  // Of the target as the key has it, not as a URL is normalised.
  const [url = ''] = key.split(' ', 1);
  const query = url.slice(keyHost.length + head.rawPath.length + 1);
  const invalidateTarget = (): void => zone.invalidate(keyHost, head.rawPath, query);
  if (!isWholeUrl(use) || zone.store.peek(key) !== undefined) invalidateTarget();
  else {
    zone.store.find(key, (found) => {
      if (found !== undefined) invalidateTarget();
    });
  }
  const block = response.block.view().subarray(0, response.originBytes);
  const fields = fieldsOf({ block, directives: response.directives });
  for (const url of invalidatedBy(head.method, response.status, `${scheme}://${host}${head.target}`, fields).slice(1)) {
    const { pathname, search } = new URL(url);
    zone.invalidate(keyHost, pathname, search.slice(1));
  }
}

/** Whether the key is that of a GET for the same target: with fields or cookies in it, it need not be. */
function isWholeUrl({ route, context }: CacheUse): boolean {
  const { headers, cookies, query } = route.rules.key;
  return (
    headers.length === 0 &&
    cookies.length === 0 &&
    query.mode === 'all' &&
    !query.sort &&
    context.client?.trusted !== true
  );
}
