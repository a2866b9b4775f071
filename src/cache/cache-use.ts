import type { Exchange } from '../listener/exchange.ts';
import type { CacheResult, CacheTrace, RequestContext } from '../request/request-context.ts';
import type { ForwardReason } from './cache-status.ts';
import type { CachedRoute } from './cached-route.ts';
import type { Fetch } from './collapse/fetch.ts';
import type { StoreEntry } from './response-store.ts';

/** One request on its way through the cache, when it was no plain hit. */
export class CacheUse implements CacheTrace {
  readonly zone: string;
  result: CacheResult = 'miss';
  collapsed = false;
  readonly context: RequestContext;
  /** The client's, whatever stands in its place while the upstream is asked. */
  readonly exchange: Exchange;
  readonly route: CachedRoute;
  /** The primary key. */
  readonly key: string;
  /** Of the request, as `requestTraits` gives them. */
  readonly traits: number;
  /** Why it is not answered from the store, for Cache-Status. */
  forwarded: ForwardReason = 'uri-miss';
  /** Milliseconds since 1970 up to which it waits for others; 0 as long as it has not. */
  waitsUntil = 0;
  /** Milliseconds since 1970 up to which what is stored may answer should the upstream fail; 0 for never. */
  onErrorUntil = 0;
  /** Markers that it has followed. */
  markers = 0;
  isCounted = false;
  /** What is stored and could not answer, for a HEAD request whose answer tells about it. */
  stored: { readonly entry: StoreEntry; readonly storeKey: string } | undefined;
  /** What it asks the upstream for; undefined while it asks nothing, or goes past the cache. */
  fetch: Fetch | undefined;

  constructor(context: RequestContext, route: CachedRoute, key: string, traits: number) {
    this.context = context;
    this.exchange = context.exchange;
    this.route = route;
    this.key = key;
    this.traits = traits;
    this.zone = route.zone.name;
  }

  /** The client is answered by something else than what it asked the upstream for. */
  takeBack(): void {
    this.context.exchange = this.exchange;
    this.context.rescue = undefined;
    this.exchange.onAborted = undefined;
    this.fetch = undefined;
  }
}
