import type { RequestContext } from '../request/request-context.ts';

/** Answers a request. Must not throw for anything a client or upstream does: it answers with an error instead. */
export interface Handler {
  handle(context: RequestContext): void;
}

/** One compiled route: immutable, made at start or reload, never during a request. */
export interface Route {
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
  /** Custom pages by status, most specific first looked up: 404, then 4xx. */
  readonly errorPages: ReadonlyMap<number | '4xx' | '5xx', ErrorPage>;
}

/** A custom error page, read when the configuration was compiled. */
export interface ErrorPage {
  readonly contentType: string;
  readonly body: Buffer;
}
