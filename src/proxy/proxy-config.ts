import type { RouteAction } from '../config/config.ts';

/** What a proxy route says. */
export type ProxyHandlerConfig = Extract<RouteAction, { readonly kind: 'proxy' }> & {
  /** The route's path, for `stripPrefix`. */
  readonly prefix: string;
  /** `\r\nname: value` lines added to each response. */
  readonly responseFields: Buffer;
  /** Names in lower case taken out of what the upstream sends. */
  readonly removedResponseFields: ReadonlySet<string>;
  /** Names in lower case whose values go to the interceptor of the route instead of to the client, whatever else is said of them. */
  readonly handedOverFields?: readonly string[];
  /** Names in lower case of request fields that clients have no right to send: they tell who asks. */
  readonly identityFields?: readonly string[];
};
