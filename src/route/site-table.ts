import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { HostTable } from './host-match.ts';
import type { Route } from './route.ts';
import type { RouteTable } from './route-table.ts';

const hostUnknown = new PorticoError('host_unknown', 'no site has the host of the request and none is the default');

/** All sites and their routes: the compiled form of `sites` in the configuration. */
export class SiteTable {
  private readonly hosts: HostTable<RouteTable>;

  constructor(hosts: HostTable<RouteTable>) {
    this.hosts = hosts;
  }

  /** As `find`, for a request whose fields may not be read; undefined where they would be needed, and when there is none. */
  glance(context: RequestContext): Route | undefined {
    const site = this.hosts.find(context.exchange.head.host);
    context.site = site;
    return site?.glance(context);
  }

  /**
   * The route for a request, by the Host field and the context's normalised path; or the error to answer with. Leaves the
   * site in the context.
   */
  find(context: RequestContext): Route | PorticoError {
    const site = this.hosts.find(context.exchange.head.host);
    if (site === undefined) return hostUnknown;
    context.site = site;
    return site.find(context);
  }
}
