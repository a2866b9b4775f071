import { readFileSync } from 'node:fs';
import { BrowserPolicy } from '../access/browser-policy.ts';
import { createAccess } from '../access/create-access.ts';
import { hidesAuthorization, identityFields } from '../access/identity-fields.ts';
import type { PreparedAccess } from '../access/shared-access.ts';
import { CacheHandler } from '../cache/cache-handler.ts';
import { CacheInterceptor } from '../cache/cache-interceptor.ts';
import type { CacheRules } from '../cache/cache-rules.ts';
import { handedOverFields } from '../cache/handed-over-fields.ts';
import { PurgeMethod } from '../cache/purge-method.ts';
import { CompressingHandler, type CompressionResources, RouteCompression } from '../compression/route-compression.ts';
import { bufferingDefaults } from '../config/buffering-defaults.ts';
import type { Config, RouteConfig, SiteConfig } from '../config/config.ts';
import { webSocketDefaults } from '../config/websocket-defaults.ts';
import type { HeadLimits } from '../limits/head-limits.ts';
import type { PreparedLimits } from '../limits/limit-zones.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { AccelDirectives } from '../proxy/accel-directives.ts';
import type { BufferingResources } from '../proxy/buffering.ts';
import { FieldTables } from '../proxy/field-tables.ts';
import { createProxyHandler } from '../proxy/proxy-handler.ts';
import { ResponseRules } from '../proxy/response-rules.ts';
import { HttpsRedirect } from '../redirect/https-redirect.ts';
import { createRedirectHandler } from '../redirect/redirect-handler.ts';
import { repeatRequest } from '../request/derived-request.ts';
import { TrustedProxies } from '../request/trusted-proxies.ts';
import { createRespondHandler } from '../respond/respond-handler.ts';
import type { PaceClock } from '../response/pace-clock.ts';
import { type CompiledRoute, compileRoutes } from '../route/compile-routes.ts';
import type { ErrorPage, Handler, Route } from '../route/route.ts';
import type { SiteTable } from '../route/site-table.ts';
import type { ContentTypes } from '../static/content-types.ts';
import { createStaticHandler, type StaticResources } from '../static/static-handler.ts';
import { clientFieldNames } from '../tls/client-verification.ts';
import type { TunnelCensus } from '../tunnel/tunnel-census.ts';
import { TunnelRoute } from '../tunnel/tunnel-route.ts';
import { UpgradeHandler } from '../tunnel/upgrade-handler.ts';
import { WebSocketHandler } from '../websocket/websocket-handler.ts';
import { WebSocketRoute } from '../websocket/websocket-route.ts';
import type { CacheZones } from './cache-zones.ts';
import type { ChallengeRoute } from './challenge-route.ts';
import { createDirectedActions } from './directed-actions.ts';
import { StrictTransport } from './strict-transport.ts';
import type { UpstreamSet } from './upstream-set.ts';

/** Everything that a request needs to know of the configuration, compiled and immutable; a reload swaps it whole. */
export interface SiteGraph {
  readonly sites: SiteTable;
  readonly trustedProxies: TrustedProxies;
  readonly headLimits: HeadLimits;
  /** Ahead of the sites. */
  readonly challenges: ChallengeRoute | undefined;
  readonly httpsRedirect: HttpsRedirect | undefined;
  readonly strictTransport: StrictTransport | undefined;
  /** Whether requests may be answered before they are read whole, as far as the routes and their handlers do. */
  readonly glances: boolean;
  /** For routes with a `limitRate`. */
  readonly paceClock: PaceClock;
}

/** What handlers use and what outlives them. */
export interface GraphResources {
  readonly files: StaticResources;
  readonly upstreams: UpstreamSet;
  readonly recorder: Recorder;
  readonly paceClock: PaceClock;
  readonly buffering: BufferingResources;
  readonly compression: CompressionResources;
  readonly caches: CacheZones;
  readonly tunnels: TunnelCensus;
  readonly limits: PreparedLimits;
  readonly challenges?: ChallengeRoute;
  readonly access: PreparedAccess;
}

/** What the routes of one configuration share; worked out for each, many of them would take too long. */
interface SharedByRoutes {
  /** As `ProxyHandlerConfig.identityFields`. */
  readonly identityFields: readonly string[];
  readonly tables: FieldTables;
}

/** Throws when an error page cannot be read; nothing has changed then. */
export function buildSiteGraph(config: Config, resources: GraphResources): SiteGraph {
  const shared = { identityFields: allIdentityFields(config), tables: new FieldTables() };
  const makeHandler = (route: RouteConfig, _site: SiteConfig, compiled: CompiledRoute): Handler =>
    makeHandlerOf(route, compiled, config, resources, shared);
  const httpsRedirect = HttpsRedirect.of(config.listen);
  const strictTransport = StrictTransport.of(config.listen);
  return {
    sites: compileRoutes(
      config,
      makeHandler,
      (file) => readErrorPage(file, resources.files.types),
      (route) => resources.limits.routeLimits(route),
      (route, site) => makeAccess(route, site, resources),
    ),
    trustedProxies: new TrustedProxies(config.trustedProxies),
    headLimits: config.limits,
    challenges: resources.challenges,
    httpsRedirect,
    strictTransport,
    // Engines that offer a glance take no more fields than that themselves.
    glances: httpsRedirect === undefined && strictTransport === undefined && config.limits.headerCount >= 98,
    paceClock: resources.paceClock,
  };
}

function makeAccess(
  route: RouteConfig,
  site: SiteConfig,
  { access }: GraphResources,
): Pick<Route, 'access' | 'browser'> {
  const place = { site: site.name, route: route.name };
  return {
    access: route.access === undefined ? undefined : createAccess(route.access, place, access),
    browser: route.browser === undefined ? undefined : new BrowserPolicy(route.browser),
  };
}

function makeHandlerOf(
  route: RouteConfig,
  compiled: CompiledRoute,
  config: Config,
  resources: GraphResources,
  shared: SharedByRoutes,
): Handler {
  const { action } = route;
  const place = { prefix: route.path, exact: route.exact, ...compiled };
  const compression = route.compress && new RouteCompression(route.compress, resources.compression);
  const compressing = (next: Handler, glances = false): Handler =>
    compression === undefined ? next : new CompressingHandler(compression, next, glances);
  switch (action.kind) {
    case 'static': {
      const { passThrough: name } = action;
      const passThrough =
        name === undefined
          ? undefined
          : compressing(makeProxy(plainProxy(name), route, compiled, config, resources, shared));
      // What only the application hands out is not for every cache on the way, whatever its name looks like.
      const immutable = action.immutable && !route.internal;
      return createStaticHandler({ ...action, ...place, immutable, passThrough, compression }, resources.files);
    }
    case 'proxy':
      return compressing(
        makeProxy(action, route, compiled, config, resources, shared, route.cache, compression),
        route.cache !== undefined,
      );
    case 'redirect':
      return createRedirectHandler(action, place);
    case 'respond':
      return compressing(createRespondHandler(action, place));
  }
}

/** Of all routes: what an application believes on one it may believe on others. */
function allIdentityFields({ sites, listen }: Config): string[] {
  const names = identityFields(sites.flatMap(({ routes }) => routes.map(({ access }) => access)));
  // By certificates of clients, too, applications are told who asks.
  return [...names, ...clientFieldNames(listen.map(({ tls }) => tls))];
}

type ProxyAction = Extract<RouteConfig['action'], { kind: 'proxy' }>;

function makeProxy(
  action: ProxyAction,
  route: RouteConfig,
  compiled: CompiledRoute,
  config: Config,
  resources: GraphResources,
  { identityFields: names, tables }: SharedByRoutes,
  cache?: CacheRules,
  compression?: RouteCompression,
): Handler {
  const upstreamConfig = config.upstreams[action.upstream];
  if (upstreamConfig === undefined) throw new Error(`unknown upstream ${action.upstream}`);
  const { upstream, admission } = resources.upstreams.get(upstreamConfig);
  const { paceClock, recorder, files } = resources;
  const actions = createDirectedActions(upstreamConfig.directives.sendfile, paceClock, (folder) =>
    createStaticHandler({ ...namedFiles, ...compiled, cacheControl: [], root: folder }, files),
  );
  const rules = new ResponseRules(action, new AccelDirectives(upstreamConfig, actions, paceClock, recorder), recorder);
  const hides = route.access !== undefined && hidesAuthorization(route.access);
  const identity = hides ? [...names, 'authorization'] : names;
  const zone = cache === undefined ? undefined : resources.caches.get(cache.zone);
  const proxyConfig = { ...action, ...compiled, prefix: route.path, identityFields: identity };
  const handler =
    cache === undefined || zone === undefined
      ? createProxyHandler(proxyConfig, upstream, admission, rules, resources.buffering, tables)
      : new CacheHandler(
          { rules: cache, repeat: repeatRequest, compression, ...compiled },
          zone,
          files.buffers,
          createProxyHandler(
            { ...proxyConfig, handedOverFields: handedOverFields(compiled.removedResponseFields) },
            upstream,
            admission,
            new CacheInterceptor(rules),
            resources.buffering,
            tables,
          ),
        );
  const purging = cache === undefined ? handler : withPurgeMethod(cache, config, resources, handler);
  const { upgrade } = action;
  const upgrading =
    upgrade === false ? purging : new UpgradeHandler(new TunnelRoute(upgrade, resources.tunnels, recorder), purging);
  if (action.webSocket === false) return upgrading;
  const webSockets = new WebSocketRoute(action.webSocket, proxyConfig, upstream, admission, recorder, tables);
  return new WebSocketHandler(webSockets, upgrading);
}

function withPurgeMethod(rules: CacheRules, config: Config, { caches }: GraphResources, handler: Handler): Handler {
  const allow = config.caches[rules.zone]?.purge?.allow ?? [];
  return allow.length === 0 ? handler : new PurgeMethod(rules, new TrustedProxies(allow), caches.purges, handler);
}

/** How files are served that an application names one by one: as they are, and nothing else. */
const namedFiles = {
  kind: 'static',
  index: false,
  listing: false,
  precompressed: false,
  immutable: false,
  prefix: '/',
  exact: false,
  passThrough: undefined,
} as const;

/** A `passThrough` has no options of its own: everything as the client sent it. */
function plainProxy(upstream: string): ProxyAction {
  const requestHeaders = { set: {}, remove: [] };
  return {
    kind: 'proxy',
    buffering: bufferingDefaults,
    upstream,
    stripPrefix: false,
    host: 'keep',
    forwarded: false,
    interceptErrors: false,
    onClientAbort: 'cancel',
    webSocket: webSocketDefaults,
    upgrade: false,
    requestHeaders,
  };
}

function readErrorPage(file: string, types: ContentTypes): ErrorPage {
  return { contentType: types.of(file), body: readFileSync(file) };
}
