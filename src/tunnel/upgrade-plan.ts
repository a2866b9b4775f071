import type { TunnelRoute } from './tunnel-route.ts';

/** What a request may become, if the application agrees. */
export interface UpgradePlan {
  /** Protocols that the client asks for and the route lets through, as the client spells them. */
  readonly protocols: readonly string[];
  /** The same in lower case: they are compared in any case (RFC 9110 section 7.8). */
  readonly names: readonly string[];
  readonly route: TunnelRoute;
}
