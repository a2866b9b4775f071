import { performance } from 'node:perf_hooks';
import type { UpstreamConfig } from '../config/config.ts';
import type { HealthObserver } from '../health/health-observer.ts';
import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Server } from '../upstream/server.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Balancer } from './balancer.ts';
import { createBalancer } from './create-balancer.ts';
import { lastResort } from './last-resort.ts';

/** A request that wants a server. It is told exactly one of both, at once or later, unless it cancels before. */
export interface Applicant {
  readonly context: RequestContext;
  /** Servers that it has failed on; passed over while there are others. */
  readonly tried: readonly Server[] | undefined;
  admitted(server: Server): void;
  rejected(error: PorticoError): void;
}

/** How a request went at a server, for balancing by latency, passive health and the circuit breaker. */
export type Outcome =
  | { readonly kind: 'response'; readonly status: number; readonly headMs: number }
  | { readonly kind: 'failed'; readonly error: PorticoError }
  /** The client went away, or the answer was not waited for: says nothing about the server. */
  | { readonly kind: 'abandoned' };

/**
 * Decides when a request goes to which server of an upstream: the one gate that every request passes on its way there,
 * and reports back to when it is over. One per upstream and worker; it lives on over reloads.
 */
export class Admission {
  /** Told of every outcome; it decides about passive ejection. */
  observer: HealthObserver<Server> | undefined;
  private readonly upstream: Upstream;
  private balancer: Balancer<Server>;
  private balancerName: UpstreamConfig['balance'];

  constructor(upstream: Upstream) {
    this.upstream = upstream;
    this.balancerName = upstream.balance;
    this.balancer = createBalancer(upstream.balance);
  }

  /** Takes the configuration that the upstream has now, after a reload. */
  reconfigure(): void {
    if (this.balancerName === this.upstream.balance) return;
    this.balancerName = this.upstream.balance;
    this.balancer = createBalancer(this.balancerName);
  }

  apply(applicant: Applicant): void {
    const { servers } = this.upstream;
    const server = this.balancer.pick(servers, performance.now(), applicant) ?? lastResort(servers, applicant.tried);
    if (server === undefined) {
      applicant.rejected(new PorticoError('upstream_unreachable', 'the upstream has no server'));
      return;
    }
    server.active++;
    applicant.admitted(server);
  }

  /** The applicant does not wait any longer. Harmless when it was told already. */
  cancel(_applicant: Applicant): void {
    // Nobody waits.
  }

  /** A request that was admitted is over. */
  release(server: Server, outcome: Outcome): void {
    server.active--;
    const now = performance.now();
    if (outcome.kind === 'response') server.latency.observe(outcome.headMs, now);
    this.observer?.observe(server, outcome, now);
  }
}
