import { performance } from 'node:perf_hooks';
import type { HealthObserver } from '../health/health-observer.ts';
import type { AdmissionState } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { ErrorCode } from '../response/error-code.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Server } from '../upstream/server.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { AdmissionMetrics, type RejectReason } from './admission-metrics.ts';
import { Balancing } from './balancing.ts';
import { CircuitGate, type CircuitUser } from './circuit-gate.ts';
import { lastResort } from './last-resort.ts';
import { RetryBudget } from './retry-budget.ts';
import type { CapacitySource } from './server-capacity.ts';
import { ServerLimit } from './server-limit.ts';
import { type Waiting, WaitingLine } from './waiting-line.ts';

/** How often waiting requests are looked after, milliseconds. */
const tickMs = 50;
/** While no server is up, how often each is tried with a waiting request, milliseconds. */
const probeIntervalMs = 100;
/** What Retry-After says, seconds. */
const retryAfterBusy = 1;
const retryAfterMaintenance = 30;

/**
 * A request that wants a server. It is told exactly one of both, at once or later, unless it cancels before. What it has of
 * `Waiting` and `CircuitUser` is the admission's to set.
 */
export interface Applicant extends Partial<Waiting>, CircuitUser {
  readonly context: RequestContext;
  /** Servers that it has failed on; passed over while there are others. */
  readonly tried: readonly Server[] | undefined;
  /** @param now `performance.now()` */
  admitted(server: Server, now: number): void;
  rejected(error: PorticoError): void;
}

/** How a request went at a server, for balancing by latency, passive health and the circuit breaker. */
export type Outcome =
  | { readonly kind: 'response'; readonly status: number; readonly headMs: number }
  | { readonly kind: 'failed'; readonly error: PorticoError }
  /** The client went away, or the answer was not waited for: says nothing about the server. */
  | { readonly kind: 'abandoned' };

/** What the gates of all upstreams share. */
export interface AdmissionResources {
  readonly recorder: Recorder;
  readonly capacity: CapacitySource;
  readonly logger: Logger;
}

/**
 * Decides when a request goes to which server of an upstream: the one gate that every request passes on its way there,
 * and reports back to when it is over. Requests wait here while every server is busy (queued) or while none is up (held).
 * One per upstream and worker; it lives on over reloads.
 */
export class Admission {
  /** Told of every outcome; it decides about passive ejection. */
  observer: HealthObserver<Server> | undefined;
  private readonly upstream: Upstream;
  private readonly balancing: Balancing<Server>;
  private readonly resources: AdmissionResources;
  private readonly metrics: AdmissionMetrics;
  private readonly circuit: CircuitGate;
  private readonly budget: RetryBudget;
  private readonly line = new WaitingLine<Applicant & Waiting>();
  private limits: readonly ServerLimit[] = [];
  /** Servers that a request tries although they do not seem to be up. */
  private readonly probed = new Set<Server>();
  /** No server takes requests, and none has been seen working since. */
  private down = false;
  private downSince = 0;
  private upSince = 0;
  /** Why a server was not reached last. */
  private lastError: PorticoError | undefined;
  private timer: NodeJS.Timeout | undefined;
  private dispatching = false;

  constructor(upstream: Upstream, resources: AdmissionResources) {
    this.upstream = upstream;
    this.resources = resources;
    this.balancing = new Balancing(upstream.config, (result) => upstream.metrics.session(result));
    this.metrics = new AdmissionMetrics(resources.recorder, upstream.name);
    this.circuit = new CircuitGate(upstream.name, this.metrics, resources.logger);
    this.budget = new RetryBudget(upstream.config.retry.budget);
    upstream.onReturn = () => this.dispatch(performance.now());
    upstream.onServersChange = () => this.limitServers();
    this.reconfigure();
  }

  /** Takes the configuration that the upstream has now, after a reload. */
  reconfigure(): void {
    const { config } = this.upstream;
    this.balancing.configure(config);
    this.circuit.configure(config.circuitBreaker);
    this.budget.configure(config.retry.budget);
    this.limitServers();
    if (this.line.size > 0) this.dispatch(performance.now());
  }

  get state(): AdmissionState {
    const { size } = this.line;
    const { down } = this;
    return {
      upstream: this.upstream.name,
      queued: down ? 0 : size,
      held: down ? size : 0,
      circuit: this.circuit.state,
    };
  }

  apply(applicant: Applicant): void {
    const now = performance.now();
    const wait = this.circuit.pass(applicant, now);
    if (wait !== undefined) return this.refuse(applicant, wait);
    if (applicant.tried === undefined && applicant.waitingSince === undefined) this.budget.request(now);
    if (this.line.size === 0 || this.someAreDrained) {
      const server = this.balancing.pick(this.upstream.servers, now, applicant);
      // While others wait, only those pass them that go where the others cannot: sessions of a drained server.
      if (server !== undefined && (this.line.size === 0 || !server.inService))
        return this.admit(applicant, server, now);
    }
    this.admitLater(applicant, now);
  }

  /** The applicant does not wait any longer. Harmless when it was told already. */
  cancel(applicant: Applicant): void {
    const now = performance.now();
    this.circuit.left(applicant, false, now);
    if (!this.leave(applicant, now)) return;
    this.lineChanged();
  }

  /** A connection to the server was opened for a request. */
  connected(server: Server): void {
    if (this.probed.size > 0) this.probed.delete(server);
    if (this.down && server.mayTake(performance.now())) this.cameUp();
  }

  /** A request that was admitted is over, or one try of it. */
  release(server: Server, outcome: Outcome, applicant?: Applicant, now = performance.now()): void {
    server.active--;
    if (outcome.kind === 'response') server.latency.observe(outcome.headMs, now);
    else if (outcome.kind === 'failed' && outcome.error.retryable) this.lastError = outcome.error;
    this.observer?.observe(server, outcome, now);
    this.circuit.ended(applicant, outcome, now);
    if (this.probed.size > 0) this.probed.delete(server);
    if (this.down && outcome.kind === 'response' && server.mayTake(now)) this.cameUp();
    server.limit?.giveBack();
    if (this.line.size > 0) this.dispatch(now);
  }

  /** Whether a request of which nothing was sent may apply again instead of failing, because it can wait here. */
  mayWait(applicant: Applicant): boolean {
    const { waitForUpstream } = this.upstream.config;
    if (waitForUpstream === 0) return false;
    const now = performance.now();
    if (applicant.waitingSince === undefined) return !this.isUp(now);
    if (now < this.deadlineOf(applicant.waitingSince)) return true;
    this.metrics.rejected('hold_timeout');
    return false;
  }

  /** Whether there is a server that takes requests, other than this one and those tried before. */
  hasAnother(applicant: Applicant, server: Server): boolean {
    const now = performance.now();
    return this.upstream.servers.some(
      (other) => other !== server && other.mayTake(now) && applicant.tried?.includes(other) !== true,
    );
  }

  /** Whether the retry budget allows to send a request again; it is counted then. */
  maySendAgain(): boolean {
    if (this.budget.take(performance.now())) return true;
    this.metrics.retriesDenied.add(1);
    return false;
  }

  /**
   * The line that the response of an admitted request gets so that the client keeps its server: a line break and
   * `Set-Cookie: …`; undefined for none.
   */
  sessionLine(context: RequestContext): string | undefined {
    return this.balancing.sticks
      ? this.balancing.sessionLine(context, this.upstream.servers, performance.now())
      : undefined;
  }

  private limitServers(): void {
    const { servers, name } = this.upstream;
    const former = new Set(this.limits);
    for (const server of servers) {
      if (server.maxConnections !== undefined && server.limit === undefined) {
        const capacity = this.resources.capacity.of(name, server.name);
        const onRoom = (): void => this.dispatch(performance.now());
        server.limit = new ServerLimit(server, capacity, this.metrics.leases(server.name), onRoom);
      }
      server.limit?.configure(server.maxConnections);
      if (server.limit !== undefined) former.delete(server.limit);
    }
    for (const limit of former) limit.retire();
    this.limits = servers.flatMap(({ limit }) => (limit === undefined ? [] : [limit]));
  }

  private get someAreDrained(): boolean {
    return this.upstream.servers.some((server) => !server.inService);
  }

  /** Whether a server takes requests, be it one after the other. */
  private isUp(now: number): boolean {
    for (const server of this.upstream.servers) if (server.mayTake(now)) return true;
    return false;
  }

  private admit(applicant: Applicant, server: Server, now: number): void {
    server.active++;
    server.limit?.take();
    applicant.admitted(server, now);
  }

  private admitLater(applicant: Applicant, now: number): void {
    const { servers, config } = this.upstream;
    if (servers.length > 0 && !servers.some((server) => server.inService)) {
      const fields = retryAfter(retryAfterMaintenance);
      const error = new PorticoError('upstream_maintenance', 'every server is in maintenance or drained', { fields });
      return this.reject(applicant, 'maintenance', error, now);
    }
    if (!this.down && this.isUp(now)) {
      if (this.line.size < config.queue.size) return this.join(applicant, now);
      return this.reject(applicant, 'queue_full', busy(`${config.queue.size} requests are in the queue already`), now);
    }
    if (config.waitForUpstream === 0) return this.takeLastResort(applicant, now);
    this.wentDown(now);
    const since = applicant.waitingSince;
    if (since !== undefined && now >= this.deadlineOf(since)) {
      return this.reject(applicant, 'hold_timeout', this.unreachable(), now);
    }
    if (since === undefined && this.line.size >= config.waitForUpstreamMax) {
      const detail = `no server is up, and ${config.waitForUpstreamMax} requests wait for one already`;
      const error = new PorticoError('upstream_restarting', detail, { fields: retryAfter(retryAfterBusy) });
      return this.reject(applicant, 'hold_full', error, now);
    }
    this.join(applicant, now);
    this.probe(now);
  }

  /** Requests are not to wait: one that seems down is tried all the same, but none twice. */
  private takeLastResort(applicant: Applicant, now: number): void {
    const server = lastResort(this.upstream.servers, applicant.tried);
    if (server !== undefined && applicant.tried?.includes(server) !== true) return this.admit(applicant, server, now);
    this.reject(applicant, 'no_server', this.unreachable(), now);
  }

  // --- waiting ---

  private join(applicant: Applicant, now: number): void {
    this.line.join(applicant as Applicant & Waiting, now);
    this.lineChanged();
  }

  private leave(applicant: Applicant, now: number): boolean {
    if (!this.line.leave(applicant as Applicant & Waiting)) return false;
    this.metrics.waited.observe((now - (applicant.waitingSince ?? now)) / 1000);
    return true;
  }

  private lineChanged(): void {
    const { size } = this.line;
    const { queued, held } = this.state;
    this.metrics.queued.set(queued);
    this.metrics.held.set(held);
    for (const limit of this.limits) limit.want(size);
    if (size > 0) {
      this.timer ??= setInterval(() => this.tick(), tickMs);
    } else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  private tick(): void {
    const now = performance.now();
    this.dispatch(now);
    for (const applicant of this.line.all()) {
      if (now < this.deadlineOf(applicant.waitingSince ?? now) || !this.leave(applicant, now)) continue;
      const { timeout } = this.upstream.config.queue;
      if (this.down) this.reject(applicant, 'hold_timeout', this.unreachable(), now);
      else this.reject(applicant, 'queue_timeout', busy(`no server was free for ${timeout} ms`), now);
    }
    this.lineChanged();
  }

  /** A change between busy and down begins the wait anew: each has a time of its own. */
  private deadlineOf(since: number): number {
    const { waitForUpstream, queue } = this.upstream.config;
    return this.down
      ? Math.max(since, this.downSince) + waitForUpstream
      : Math.max(since, this.upSince) + queue.timeout;
  }

  /** Lets those go that can, in order. */
  private dispatch(now: number): void {
    if (this.dispatching || this.line.size === 0) return;
    this.dispatching = true;
    if (!this.down) this.sendFirst(now);
    if (this.line.size > 0 && !this.down && !this.isUp(now)) this.wentDown(now);
    if (this.down) this.probe(now);
    this.dispatching = false;
    this.lineChanged();
  }

  private sendFirst(now: number): void {
    for (let first = this.line.first; first !== undefined; first = this.line.first) {
      const server = this.balancing.pick(this.upstream.servers, now, first);
      if (server === undefined) return;
      this.leave(first, now);
      this.admit(first, server, now);
    }
  }

  // --- while no server is up ---

  private wentDown(now: number): void {
    if (this.down) return;
    this.down = true;
    this.downSince = now;
    const { name, config } = this.upstream;
    const { waitForUpstream } = config;
    this.resources.logger.warn(`no server of upstream ${name} is up; requests wait up to ${waitForUpstream} ms`, {
      upstream: name,
      reason: this.lastError?.message,
    });
  }

  private cameUp(): void {
    const now = performance.now();
    const { name } = this.upstream;
    this.resources.logger.info(`a server of upstream ${name} is up again`, {
      upstream: name,
      waiting: this.line.size,
      downMs: Math.round(now - this.downSince),
    });
    this.down = false;
    this.upSince = now;
    this.lastError = undefined;
    this.dispatch(now);
  }

  /** Tries each server with the request that has waited longest: the moment it takes a connection, all others follow. */
  private probe(now: number): void {
    for (const server of this.upstream.servers) {
      const { first } = this.line;
      if (first === undefined) return;
      if (this.probed.has(server) || !mayProbe(server, now)) continue;
      this.line.leave(first);
      this.lineChanged();
      this.probed.add(server);
      this.admit(first, server, now);
    }
  }

  private unreachable(): PorticoError {
    const { lastError } = this;
    const { waitForUpstream } = this.upstream.config;
    const waited = waitForUpstream === 0 ? 'no server is up' : `no server was up for ${waitForUpstream} ms`;
    const code: ErrorCode = lastError?.code ?? 'upstream_unreachable';
    return new PorticoError(code, lastError === undefined ? waited : `${waited}: ${lastError.message}`);
  }

  // --- no server at all ---

  private refuse(applicant: Applicant, waitMs: number): void {
    this.metrics.rejected('circuit_open');
    const fields = retryAfter(Math.max(1, Math.ceil(waitMs / 1000)));
    applicant.rejected(new PorticoError('circuit_open', 'the circuit of the upstream is open', { fields }));
  }

  private reject(applicant: Applicant, reason: RejectReason, error: PorticoError, now: number): void {
    this.metrics.rejected(reason);
    this.circuit.left(applicant, reason === 'hold_timeout' || reason === 'no_server', now);
    applicant.rejected(error);
  }
}

/** Whether it is worth a try: not one that checks know to be down, nor one that has just refused. */
function mayProbe(server: Server, now: number): boolean {
  if (!server.inService || server.saturated || server.availability.health === false) return false;
  return server.failedAt === 0 || now - server.failedAt >= probeIntervalMs;
}

function busy(detail: string): PorticoError {
  return new PorticoError('upstream_busy', detail, { fields: retryAfter(retryAfterBusy) });
}

function retryAfter(seconds: number): Buffer {
  return Buffer.from(`\r\nRetry-After: ${seconds}`, 'latin1');
}
