import type { Config, RouteConfig, SiteConfig } from '../config/config.ts';
import { serializeFields } from '../response/response-head.ts';
import { Conditions } from './conditions.ts';
import { HostTable } from './host-match.ts';
import { PathForest } from './path-forest.ts';
import type { ErrorPage, ErrorPageKey, Handler, Route } from './route.ts';
import { type RouteCandidate, RouteTable } from './route-table.ts';
import { SiteTable } from './site-table.ts';

/** What is ready of a route when its handler is made. */
export type CompiledRoute = Pick<Route, 'responseFields' | 'removedResponseFields'>;

/** Gives the limits of a route, undefined for none. */
export type LimitsFactory = (route: RouteConfig) => Route['limits'];

/** Gives what stands before the action of a route, undefined for nothing. */
export type AccessFactory = (route: RouteConfig, site: SiteConfig) => Pick<Route, 'access' | 'browser'>;

export type HandlerFactory = (route: RouteConfig, site: SiteConfig, compiled: CompiledRoute) => Handler;

/**
 * Compiles the sites of a configuration for matching.
 * @param readPage reads an error page from an absolute path; what it throws passes through
 * @param limitsOf no route has any when it is left out
 * @param accessOf everybody may ask for everything when it is left out
 */
export function compileRoutes(
  config: Config,
  makeHandler: HandlerFactory,
  readPage: (path: string) => ErrorPage,
  limitsOf: LimitsFactory = () => undefined,
  accessOf: AccessFactory = () => ({}),
): SiteTable {
  const hosts = new HostTable<RouteTable>();
  const forest = new PathForest<RouteCandidate>();
  for (const site of config.sites) {
    const { candidates, errorPages } = compileSite(site, makeHandler, readPage, limitsOf, accessOf);
    const table = new RouteTable(candidates, errorPages, forest);
    if (site.hosts === undefined) hosts.addDefault(table);
    else for (const host of site.hosts) hosts.add(host, table);
  }
  return new SiteTable(hosts);
}

function compileSite(
  site: SiteConfig,
  makeHandler: HandlerFactory,
  readPage: (path: string) => ErrorPage,
  limitsOf: LimitsFactory,
  accessOf: AccessFactory,
): { readonly candidates: readonly RouteCandidate[]; readonly errorPages: Route['errorPages'] } {
  const errorPages = new Map<ErrorPageKey, ErrorPage>();
  for (const [key, path] of Object.entries(site.errorPages)) errorPages.set(errorPageKey(key), readPage(path));
  const candidates = site.routes.map((route) => compileRoute(route, site, errorPages, makeHandler, limitsOf, accessOf));
  return { candidates, errorPages };
}

function compileRoute(
  config: RouteConfig,
  site: SiteConfig,
  errorPages: Route['errorPages'],
  makeHandler: HandlerFactory,
  limitsOf: LimitsFactory,
  accessOf: AccessFactory,
): RouteCandidate {
  const compiled = compileFields(config);
  const handler = makeHandler(config, site, compiled);
  const { name, bodyLimit, path, exact, internal, limitRate, cache } = config;
  const { access, browser } = accessOf(config, site);
  // Named one by one: from the hundredth time on or so, V8 gives each object that others are spread into a shape of its own,
  // and every request for another route than the one before would look its properties up by slow ways.
  // What every request reads stands together, in front.
  const route: Route = {
    handler,
    metrics: undefined,
    internal,
    limits: limitsOf(config),
    access,
    browser,
    limitRate,
    site: site.name,
    name,
    bodyLimit,
    responseFields: compiled.responseFields,
    removedResponseFields: compiled.removedResponseFields,
    errorPages,
    cache,
  };
  const conditions = new Conditions(config);
  return { path, exact, takesAll: conditions.count === 0 && !internal, route, conditions };
}

function errorPageKey(text: string): ErrorPageKey {
  return text === '4xx' || text === '5xx' || text === 'maintenance' ? text : Number(text);
}

/** A field that is set replaces what comes from upstream, so its name counts as removed too. */
function compileFields({ responseHeaders: { set, remove } }: RouteConfig): CompiledRoute {
  return {
    responseFields: serializeFields(Object.entries(set)),
    removedResponseFields: new Set([...remove, ...Object.keys(set)].map((name) => name.toLowerCase())),
  };
}
