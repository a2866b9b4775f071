import type { BrowserPolicy } from '../access/browser-policy.ts';
import type { Gate } from '../access/gate.ts';
import type { CacheRules } from '../cache/cache-rules.ts';
import type { RouteLimits } from '../limits/route-limits.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { RouteMetrics } from '../worker/route-metrics.ts';

/** Answers a request. Must not throw for anything a client or upstream does: it answers with an error instead. */
export interface Handler {
  /**
   * As `ExchangeHandler.glance`: answers, where it can, without the fields of the request. Left out by what needs them.
   * @returns whether it has answered
   */
  glance?(context: RequestContext): boolean;
  handle(context: RequestContext): void;
}

/** One compiled route: immutable but for its metrics, made at start or reload, never during a request. */
export interface Route {
  /** Made when the route is first observed, and kept here because it is looked for in every request. */
  metrics?: RouteMetrics | undefined;
  /** Name of the site, for labels: its `name`, or its first host, or `default`. */
  readonly site: string;
  /** Name of the route, for labels: its `name`, or its path as configured. */
  readonly name: string;
  readonly handler: Handler;
  /** Most bytes of request body. */
  readonly bodyLimit: number;
  /** `\r\nname: value` lines that the route adds to each of its responses. */
  readonly responseFields: Buffer;
  /** Names in lower case that the route removes from what an upstream sends, or replaces by one of `responseFields`. */
  readonly removedResponseFields: ReadonlySet<string>;
  readonly errorPages: ErrorPages;
  /** Whether only the application's own directives lead here; requests from outside find nothing. */
  readonly internal?: boolean;
  /** Most bytes a second that each response is sent with; undefined for as many as the client takes. */
  readonly limitRate?: number | undefined;
  /** What it says about caching, for explanations; undefined where nothing is cached. */
  readonly cache?: CacheRules | undefined;
  /** How many requests may come; undefined for as many as there are. */
  readonly limits?: RouteLimits | undefined;
  /** Who may ask; undefined for everybody. */
  readonly access?: Gate | undefined;
  /** What browsers are told; undefined for nothing. */
  readonly browser?: BrowserPolicy | undefined;
}

/** What the host of a request leads to. */
export interface Site {
  readonly errorPages: ErrorPages;
  /** The route for a request, or why there is none. A request that was made here may find internal routes, and only those. */
  find(context: RequestContext): Route | PorticoError;
}

/** Custom pages by status, the most specific one looked up first: `maintenance`, then 503, then 5xx. */
export type ErrorPages = ReadonlyMap<ErrorPageKey, ErrorPage>;

export type ErrorPageKey = number | '4xx' | '5xx' | 'maintenance';

/** A custom error page, read when the configuration was compiled. */
export interface ErrorPage {
  readonly contentType: string;
  readonly body: Buffer;
}
