import type { RouteCompression } from '../compression/route-compression.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { Handler } from '../route/route.ts';
import type { ReadBufferPool } from '../static/read-buffer-pool.ts';
import type { CacheRules } from './cache-rules.ts';
import type { CacheUse } from './cache-use.ts';
import type { CacheZone } from './cache-zone.ts';
import type { EntryAnswer } from './entry-answer.ts';
import type { StoreEntry } from './response-store.ts';
import type { VaryMarker } from './stored-response.ts';

/** A route with a cache, as those see it who fetch for its requests. */
export interface CachedRoute {
  readonly rules: CacheRules;
  readonly zone: CacheZone;
  /** Answers with stored responses. */
  readonly answer: EntryAnswer;
  readonly buffers: ReadBufferPool;
  /** Asks the upstream. */
  readonly next: Handler;
  /** Makes the same request once more, for the background. */
  readonly repeat: RepeatRequest;
  /**
   * Answers with what was found, if that will do.
   * @returns false when the upstream has to be asked; the request says why then (`forwarded`, `onErrorUntil`)
   */
  tryAnswer(use: CacheUse, entry: StoreEntry, storeKey: string, now: number): boolean;
  /** Responses to the key vary: goes on with the variant that the request selects. */
  goOn(use: CacheUse, marker: VaryMarker): void;
  /**
   * Asks the upstream without waiting for anybody, and nobody waits for it.
   * @param stores whether the response may be stored
   */
  alone(use: CacheUse, stores: boolean): void;
  /** Counts it, by its result; the log will tell the same. */
  counted(use: CacheUse): void;
  /**
   * Answers with a stale entry, because the upstream fails.
   * @param status that it sent; undefined when it sent none, 'unasked' when it had failed a moment ago
   */
  answerStale(use: CacheUse, entry: StoreEntry, status: number | 'unasked' | undefined): void;
  /** Answers with an entry that the upstream has just confirmed. */
  answerRenewed(use: CacheUse, entry: StoreEntry): void;
}

/** Makes a request like another one, on another exchange. */
export type RepeatRequest = (context: RequestContext, exchange: Exchange) => RequestContext;

/** What a cache needs to know of a route besides its rules. */
export interface CachedRouteConfig {
  readonly rules: CacheRules;
  /** `\r\nname: value` lines added to each response. */
  readonly responseFields: Buffer;
  /** Names in lower case that are taken out of what the upstream sent. */
  readonly removedResponseFields: ReadonlySet<string>;
  readonly repeat: RepeatRequest;
  /** How responses of the route are compressed; undefined or left out for not at all. */
  readonly compression?: RouteCompression | undefined;
}
