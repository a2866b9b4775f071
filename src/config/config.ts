import type { AccessConfig } from '../access/access-config.ts';
import type { BrowserPolicyConfig } from '../access/browser-policy.ts';
import type { CacheRules } from '../cache/cache-rules.ts';
import type { ZoneConfig } from '../cache/store/zone-config.ts';
import type { CompressionRules } from '../compression/compression-rules.ts';
import type { BodyExpectation } from '../health/body-match.ts';
import type { HealthThresholds } from '../health/rise-fall.ts';
import type { StatusRange } from '../health/status-set.ts';
import type { ConcurrencyLimitConfig } from '../limits/concurrency-zone.ts';
import type { RateLimitConfig } from '../limits/rate-zone.ts';
import type { TlsConfig, UpstreamTlsConfig } from '../tls/tls-config.ts';
import type { BufferingConfig } from './buffering-defaults.ts';
import type { ParsedConfig } from './schema.ts';

/**
 * A configuration that was checked whole: addresses split, URLs parsed, paths absolute, references resolved. Plain data,
 * because it crosses from the primary to the workers.
 */
export interface Config
  extends Omit<
    ParsedConfig,
    'listen' | 'admin' | 'workers' | 'spool' | 'caches' | 'rateLimits' | 'concurrencyLimits' | 'upstreams' | 'sites'
  > {
  readonly listen: readonly ListenAddress[];
  readonly admin: AdminListener | undefined;
  /** A number: `auto` was resolved. */
  readonly workers: number;
  /** The directory is an absolute path, also where none was configured. */
  readonly spool: ParsedConfig['spool'] & { readonly directory: string };
  /** Those that are written down, and those that routes use. */
  readonly caches: Readonly<Record<string, ZoneConfig>>;
  readonly rateLimits: Readonly<Record<string, RateLimitConfig>>;
  readonly concurrencyLimits: Readonly<Record<string, ConcurrencyLimitConfig>>;
  /** What the keys of limits are hashed with, 16 bytes in base64url: the primary gives all workers the same. '' before. */
  readonly limitSecret: string;
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  readonly sites: readonly SiteConfig[];
}

export interface ListenAddress {
  /** As configured; identifies the listener across reloads. */
  readonly address: string;
  /** Undefined: every address, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0: a free one. */
  readonly port: number;
  /** Which engine serves it; `auto` when left out. */
  readonly engine?: 'auto' | 'uws' | 'node';
  /** Clients are sent to HTTPS: to that port, or to the one of the first listener with TLS. */
  readonly redirectToHttps?: boolean | number;
  /** Undefined: HTTP without TLS. */
  readonly tls?: TlsConfig | undefined;
  /** Peers that begin with a header of the PROXY protocol; undefined for none. */
  readonly proxyProtocol?: readonly string[] | undefined;
}

/** The admin listener, and from where it takes requests that change something. */
export interface AdminListener extends ListenAddress {
  readonly control: 'local' | 'all' | 'off';
}

type ParsedUpstream = ParsedConfig['upstreams'][string];
type ParsedSite = ParsedConfig['sites'][number];
type ParsedRoute = ParsedSite['routes'][number];

export interface UpstreamConfig extends Omit<ParsedUpstream, 'servers' | 'tls' | 'health' | 'passiveHealth'> {
  readonly name: string;
  /** Undefined: the servers speak HTTP without TLS. */
  readonly tls?: UpstreamTlsConfig | undefined;
  /** Undefined: servers are not checked. */
  readonly health: HealthConfig | undefined;
  readonly passiveHealth: PassiveHealthConfig | false;
  /** Those whose addresses are known, or are one server whatever they are. */
  readonly servers: readonly ServerConfig[];
  /** Names that stand for any number of further servers. */
  readonly discovered: readonly DiscoveryConfig[];
}

/** One application instance. */
export interface ServerConfig {
  /** Label in metrics and logs: `127.0.0.1:8000`, `unix:/run/app.sock`. */
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number } | { readonly socketPath: string };
  /** The name that its address was found by, where that is another than the host of the address. */
  readonly foundBy?: string | undefined;
  readonly weight: number;
  /** Servers of a level are used while none of a lower one takes requests: 0, and `backupLevel` for a `backup`. */
  readonly level: number;
  readonly state: 'ready' | 'drain' | 'maintenance';
  /** Most requests at a time over all workers. */
  readonly maxConnections?: number | undefined;
}

/** Active checks of the servers of an upstream. Times in milliseconds, `jitter` in percent. */
export interface HealthConfig extends HealthThresholds {
  readonly interval: number;
  readonly timeout: number;
  readonly jitter: number;
  readonly startAs: 'up' | 'down';
  /** In the place of the servers' own. */
  readonly port?: number;
  readonly check: { readonly kind: 'tcp' } | HttpCheckConfig;
}

/** What a check asks, and what it takes for a good answer. */
export interface HttpCheckConfig {
  readonly kind: 'http';
  readonly method: 'GET' | 'HEAD' | 'OPTIONS';
  readonly path: string;
  /** Undefined: the address of the server. */
  readonly host?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: readonly StatusRange[];
  readonly body?: BodyExpectation;
}

export type PassiveHealthConfig = Omit<Exclude<ParsedUpstream['passiveHealth'], false>, 'status'> & {
  readonly status: readonly StatusRange[];
};

/** A name that stands for any number of servers: an SRV name, or a host of which each address is a server. */
export interface DiscoveryConfig {
  /** As in the configuration: `srv://_http._tcp.app.example`, `app:8000`. */
  readonly name: string;
  readonly source: { readonly service: string } | { readonly host: string; readonly port: number };
  /** Pause between two look-ups of a service, milliseconds; addresses have a time to live. */
  readonly interval: number;
  /** What its servers have in common. SRV priorities are added to its level, weights multiplied with its weight. */
  readonly template: Omit<ServerConfig, 'name' | 'address'>;
}

/** Consistent hashing. The name of a header is in lower case. */
export type HashConfig = Extract<UpstreamConfig['balance'], object>['hash'];

export type StickyConfig = NonNullable<UpstreamConfig['sticky']>;

/** Where machines share counts. Times in milliseconds. */
export type RedisConfig = NonNullable<ParsedConfig['redis']>;

export interface SiteConfig
  extends Omit<ParsedSite, 'routes' | 'name' | 'access' | 'securityHeaders' | 'cors' | 'rateLimit'> {
  /** Label, unique among sites. */
  readonly name: string;
  readonly routes: readonly RouteConfig[];
}

export interface RouteConfig
  extends Omit<
    ParsedRoute,
    | 'compress'
    | 'cache'
    | 'name'
    | 'access'
    | 'securityHeaders'
    | 'cors'
    | 'bodyLimit'
    | 'rateLimit'
    | 'concurrencyLimit'
    | 'static'
    | 'proxy'
    | 'redirect'
    | 'respond'
  > {
  /** Label, unique within the site. */
  readonly name: string;
  readonly bodyLimit: number;
  /** Names of the `rateLimits` that hold, the site's included. */
  readonly rateLimit: readonly string[];
  /** Names of the `concurrencyLimits` that hold, the site's included. */
  readonly concurrencyLimit: readonly string[];
  /** The site's included; undefined: everybody may ask. */
  readonly access: AccessConfig | undefined;
  /** The site's included; undefined: nothing. */
  readonly browser: BrowserPolicyConfig | undefined;
  /** Undefined: nothing is cached. */
  readonly cache: CacheRules | undefined;
  /** Undefined: nothing is compressed. */
  readonly compress: CompressionRules | undefined;
  readonly action: RouteAction;
}

/** What a route does: exactly one of these. Folders and files are absolute paths. */
export type RouteAction =
  | ({ readonly kind: 'static' } & NonNullable<ParsedRoute['static']>)
  | ({ readonly kind: 'proxy'; readonly buffering: BufferingConfig } & Omit<
      NonNullable<ParsedRoute['proxy']>,
      'buffering'
    >)
  | ({ readonly kind: 'redirect' } & NonNullable<ParsedRoute['redirect']>)
  | ({ readonly kind: 'respond' } & NonNullable<ParsedRoute['respond']>);
