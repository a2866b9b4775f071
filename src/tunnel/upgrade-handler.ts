import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Handler } from '../route/route.ts';
import type { TunnelRoute } from './tunnel-route.ts';

const retryAfter = Buffer.from('\r\nRetry-After: 1', 'latin1');

/** Notes on a request which other protocols the application may be asked for; whoever sends the request does so. */
export class UpgradeHandler implements Handler {
  private readonly route: TunnelRoute;
  private readonly next: Handler;

  constructor(route: TunnelRoute, next: Handler) {
    this.route = route;
    this.next = next;
  }

  /** Only engines that know of no other protocols offer a glance. */
  glance(context: RequestContext): boolean {
    return this.next.glance?.(context) === true;
  }

  handle(context: RequestContext): void {
    const asked = context.exchange.upgradeRequest;
    // A request that was made on behalf of another is not the client's to go on with.
    const plan = asked === undefined || context.origin !== undefined ? undefined : this.route.plan(asked.protocols);
    if (plan !== undefined) {
      const place = this.route.takePlace(context);
      if (place === undefined) {
        const detail = `${this.route.options.maxOpen} tunnels are open`;
        return respondError(context, new PorticoError('upgrade_limit', detail, { fields: retryAfter }));
      }
      context.places = context.places === undefined ? [place] : [...context.places, place];
      context.upgrade = plan;
    }
    this.next.handle(context);
  }
}
