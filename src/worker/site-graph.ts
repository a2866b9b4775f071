import { readFileSync } from 'node:fs';
import type { Config, RouteConfig } from '../config/config.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { createProxyHandler } from '../proxy/proxy-handler.ts';
import { createRedirectHandler } from '../redirect/redirect-handler.ts';
import { TrustedProxies } from '../request/trusted-proxies.ts';
import { createRespondHandler } from '../respond/respond-handler.ts';
import { type CompiledRoute, compileRoutes } from '../route/compile-routes.ts';
import type { ErrorPage, Handler } from '../route/route.ts';
import type { SiteTable } from '../route/site-table.ts';
import { createStaticHandler, type StaticResources } from '../static/static-handler.ts';
import type { UpstreamSet } from './upstream-set.ts';

/** Everything that a request needs to know of the configuration, compiled and immutable; a reload swaps it whole. */
export interface SiteGraph {
  readonly sites: SiteTable;
  readonly trustedProxies: TrustedProxies;
}

/** What handlers use and what outlives them. */
export interface GraphResources {
  readonly files: StaticResources;
  readonly upstreams: UpstreamSet;
  readonly recorder: Recorder;
}

/** Throws when an error page cannot be read; nothing has changed then. */
export function buildSiteGraph(config: Config, resources: GraphResources): SiteGraph {
  const makeHandler = (route: RouteConfig, compiled: CompiledRoute): Handler =>
    handlerOf(route, compiled, config, resources);
  return {
    sites: compileRoutes(config, makeHandler, (file) => readErrorPage(file, resources.files)),
    trustedProxies: new TrustedProxies(config.trustedProxies),
  };
}
