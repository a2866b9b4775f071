import type { Admission } from '../balancer/admission.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { Handler } from '../route/route.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { BufferingResources } from './buffering.ts';
import { ExchangeRelay } from './exchange-relay.ts';
import type { FieldTables } from './field-tables.ts';
import type { ProxyHandlerConfig } from './proxy-config.ts';
import { ProxyRoute } from './proxy-route.ts';
import type { ResponseInterceptor } from './response-interceptor.ts';

/** Passes requests to an upstream. */
class ProxyHandler implements Handler {
  private readonly route: ProxyRoute;

  constructor(route: ProxyRoute) {
    this.route = route;
  }

  handle(context: RequestContext): void {
    new ExchangeRelay(this.route, context).start();
  }
}

/**
 * @param tables shared with other routes
 * @throws Error with a message for the operator when the route sets a field that is not its to set
 */
export function createProxyHandler(
  config: ProxyHandlerConfig,
  upstream: Upstream,
  admission: Admission,
  interceptor?: ResponseInterceptor,
  buffering?: BufferingResources,
  tables?: FieldTables,
): Handler {
  return new ProxyHandler(new ProxyRoute(config, upstream, admission, interceptor, buffering, tables));
}
