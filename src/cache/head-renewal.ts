import type { InterceptedResponse } from '../proxy/response-interceptor.ts';
import type { CacheUse } from './cache-use.ts';
import { markedStale, renewByHead } from './policy/renewal.ts';

/**
 * What the answer to a HEAD request says about what is stored (RFC 9111 section 4.3.5): it is renewed, or was replaced by
 * something else and is asked for from now on.
 */
export function renewAfterHead(response: InterceptedResponse, { stored, route, context }: CacheUse): void {
  if (stored === undefined) return;
  const { entry, storeKey } = stored;
  const { status, block, directives, contentLength } = response;
  // What an error says about HEAD, it does not say about what GET has brought.
  if (status !== 200) return;
  const responseTime = Date.now();
  const times = { requestTime: Math.floor(responseTime - (context.upstream?.headMs ?? 0)), responseTime };
  const head = { status, block: block.view().subarray(0, response.originBytes), directives };
  const renewal = renewByHead(entry.response, head, contentLength, route.rules, times);
  const { store } = route.zone;
  if (renewal.kind === 'forbidden') store.remove(storeKey);
  else if (renewal.kind === 'renewed') store.renew(storeKey, entry, renewal.response);
  else store.renew(storeKey, entry, markedStale(entry.response, responseTime));
}
