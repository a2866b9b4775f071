import { performance } from 'node:perf_hooks';
import type { HealthObserver } from '../health/health-observer.ts';
import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Server } from '../upstream/server.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { Balancing } from './balancing.ts';
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
  private readonly balancing: Balancing<Server>;

  constructor(upstream: Upstream) {
    this.upstream = upstream;
    this.balancing = new Balancing(upstream.config);
  }

  /** Takes the configuration that the upstream has now, after a reload. */
  reconfigure(): void {
    this.balancing.configure(this.upstream.config);
  }

  apply(applicant: Applicant): void {
    const { servers } = this.upstream;
    const server = this.balancing.pick(servers, performance.now(), applicant) ?? lastResort(servers, applicant.tried);
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

  /**
   * The line that the response of an admitted request gets so that the client keeps its server: a line break and
   * `Set-Cookie: …`; undefined for none.
   */
  sessionLine(context: RequestContext): string | undefined {
    return this.balancing.sessionLine(context, this.upstream.servers, performance.now());
  }

  /** A request that was admitted is over. */
  release(server: Server, outcome: Outcome): void {
    server.active--;
    const now = performance.now();
    if (outcome.kind === 'response') server.latency.observe(outcome.headMs, now);
    this.observer?.observe(server, outcome, now);
  }
}
