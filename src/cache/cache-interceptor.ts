import type { InterceptedResponse, ResponseInterceptor, Takeover } from '../proxy/response-interceptor.ts';
import type { RequestContext } from '../request/request-context.ts';
import { CacheUse } from './cache-use.ts';
import { renewAfterHead } from './head-renewal.ts';
import { invalidateAfter } from './invalidation.ts';
import { appendReceivedAge } from './received-age.ts';

/**
 * Sees the responses of a route with a cache. What is stored comes first: it may be confirmed, or stand in for an upstream
 * that fails. Then what the route does with responses of any kind; what that takes over is not stored.
 */
export class CacheInterceptor implements ResponseInterceptor {
  private readonly rules: ResponseInterceptor;

  constructor(rules: ResponseInterceptor) {
    this.rules = rules;
  }

  intercept(response: InterceptedResponse, context: RequestContext): Takeover | undefined {
    const use = context.cache;
    if (!(use instanceof CacheUse)) return this.rules.intercept(response, context);
    const { fetch } = use;
    const confirmed = fetch?.confirm(response, use);
    if (confirmed !== undefined) return confirmed;
    invalidateAfter(response, use);
    const takeover = this.rules.intercept(response, context);
    if (takeover === undefined) {
      if (fetch === undefined) passOn(response, use);
      else fetch.take(response, use);
      return undefined;
    }
    if (fetch === undefined) return takeover;
    fetch.refused();
    return (request) => {
      use.takeBack();
      takeover(request);
    };
  }
}

function passOn(response: InterceptedResponse, use: CacheUse): void {
  const { route, forwarded } = use;
  if (use.stored !== undefined && response.status === 200) renewAfterHead(response, use);
  appendReceivedAge(response);
  response.block.appendText(route.answer.linesFor({ hit: false, forwarded }));
}
