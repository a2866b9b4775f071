import type { Hold } from '../limits/hold-table.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { Route, Site } from '../route/route.ts';
import type { UpgradePlan } from '../tunnel/upgrade-plan.ts';
import type { ClientIdentity } from './client-identity.ts';
import { chooseRequestId } from './request-id.ts';

/** What the steps learn about one request on its way; read by the access log and the metrics when it has finished. */
export class RequestContext {
  /** Replaced by one around it where the response is slowed down. */
  exchange: Exchange;
  /** `performance.now()` when the head had been read. */
  readonly startedAt: number;
  /** The path for matching and for files: percent-decoded once, dot segments and double slashes resolved. */
  path = '/';
  client: ClientIdentity | undefined;
  /** What `requestId` gave, undefined as long as nobody asked: the log leaves it out then. */
  requestIdValue: string | undefined;
  route: Route | undefined;
  /** The site that the host chose. */
  site: Site | undefined;
  /** For a request that was made here on behalf of another: which one, and why. Undefined for those of clients. */
  origin: RequestOrigin | undefined;
  /** The content coding that Portico itself gave the response; undefined when it went out as it came. */
  coding: string | undefined;
  /** `Name: value\r\n` lines that go to the application with the request: what is known of who asks. */
  requestFields = '';
  /** Why the request failed, when Portico made the response. */
  error: PorticoError | undefined;
  /**
   * Is told first when the request fails, once; true: it was answered otherwise, and there is no error response. Also told
   * when the client has gone, or has a part of the response.
   */
  rescue: ((error: PorticoError) => boolean) | undefined;
  /** How the proxied request went; undefined when no upstream was asked. */
  upstream: UpstreamTrace | undefined;
  /** What the cache did; undefined where there is none. */
  cache: CacheTrace | undefined;
  /** What it holds of limits of requests at a time, to be released when it has finished. */
  places: readonly Place[] | undefined;
  /** What the client may go on with on the same connection, if the application agrees; undefined almost always. */
  upgrade: UpgradePlan | undefined;
  /** How the tunnel went that the request became; undefined when it did not. */
  tunnel: TunnelTrace | undefined;
  /** How the WebSocket went that the request became; undefined when it did not. */
  webSocket: WebSocketTrace | undefined;

  constructor(exchange: Exchange, startedAt: number) {
    this.exchange = exchange;
    this.startedAt = startedAt;
  }

  /** From a trusted proxy's X-Request-Id, or made on first use; the same from then on. */
  get requestId(): string {
    return (this.requestIdValue ??= chooseRequestId(this));
  }
}

/** A place that a request takes up while it is under way. */
export type Place = Pick<Hold, 'release'>;

/** Where a request comes from that Portico made itself, because an application asked for it. */
export interface RequestOrigin {
  /** The request that the application answered with a directive. */
  readonly context: RequestContext;
  /** How many directives led here, one after the other. */
  readonly depth: number;
  /** What the application says is the type of the content; undefined to leave it to whoever has the content. */
  readonly contentType: string | undefined;
}

/** What the cache did with a request. */
export interface CacheTrace {
  /** The zone. */
  readonly zone: string;
  result: CacheResult;
  /** Whether it was answered by the request of another client for the same. */
  collapsed: boolean;
}

/**
 * `hit`, `stale` (used beyond its lifetime), `revalidated` (the application said that it is still right), `expired` (fetched
 * anew), `miss` (fetched), `bypass` (not asked, by method, option or field).
 */
export type CacheResult = 'hit' | 'stale' | 'revalidated' | 'expired' | 'miss' | 'bypass';

/** What went over a WebSocket, and how it ended. What was sent to the client is in `Exchange.bytesSent`. */
export interface WebSocketTrace {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  closedBy: 'client' | 'upstream' | 'portico';
  /** As told to the side that did not end it; 1005 for none, 1006 when the connection was cut. */
  closeCode: number;
}

/** What went through a tunnel, and how it ended. What was sent to the client is in `Exchange.bytesSent`. */
export interface TunnelTrace {
  /** What the application switched to. */
  readonly protocol: string;
  bytesIn: number;
  /** Who ended its side first, or broke it. */
  closedBy: 'client' | 'upstream' | 'portico';
  /** `end`: both sides in order; `reset`: one was cut off; `idle`: nothing went through for too long; `stop`: Portico stops. */
  closeReason: 'end' | 'reset' | 'idle' | 'stop' | 'defect';
}

/** What a proxied request met upstream, over all its tries. Times in milliseconds, undefined when it did not come to that. */
export interface UpstreamTrace {
  readonly upstream: string;
  /** Address of the server tried last: `127.0.0.1:8000`, `unix:/run/app.sock`. */
  server: string;
  tries: number;
  /** Status that the upstream sent, 0 before. */
  status: number;
  /** Connecting; 0 on a reused connection. */
  connectMs: number | undefined;
  /** From the first byte sent to the complete response head. */
  headMs: number | undefined;
  /** From the first byte sent to the last byte received. */
  totalMs: number | undefined;
}
