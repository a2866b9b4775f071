import type { RequestContext } from '../request/request-context.ts';
import type { HeadBlock } from '../upstream/head-block.ts';
import type { ResponseSink } from './response-sink.ts';

/** A response from upstream whose head was read, and of which nothing was passed on. */
export interface InterceptedResponse {
  readonly status: number;
  /** Content-Length as sent; undefined when there was none. */
  readonly contentLength: number | undefined;
  /** Whether no body follows: HEAD, 204, 304. */
  readonly bodiless: boolean;
  /** Fields that the route takes for directives, name (in lower case) and value in turn; undefined for none. */
  readonly directives: readonly string[] | undefined;
  /** Status line and fields as they will be passed on; lines may be appended. */
  readonly block: HeadBlock;
  /** Bytes of `block` that came from the upstream; behind them stand the lines that the route adds, and those of Portico itself. */
  readonly originBytes: number;
  /** Where the response goes; may be replaced. */
  sink: ResponseSink;
}

/** Answers in the place of the upstream's response. Called when that one was let go, and the client is still there. */
export type Takeover = (context: RequestContext) => void;

/** Looks at responses before any of them is passed on. */
export interface ResponseInterceptor {
  /** @returns undefined to pass the response on; else what answers in its place, once the upstream's body was dropped */
  intercept(response: InterceptedResponse, context: RequestContext): Takeover | undefined;
}
