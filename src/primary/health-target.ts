import { isIP } from 'node:net';
import type { HealthConfig, ServerConfig, UpstreamConfig } from '../config/config.ts';
import { firstCheckDelay, nextCheckDelay, secondCheckDelay } from '../health/check-schedule.ts';
import { type Health, RiseFall } from '../health/rise-fall.ts';
import type { UpstreamContext } from '../tls/upstream-context.ts';
import type { SocketAddress } from '../upstream/connection.ts';
import type { HeadBlock } from '../upstream/head-block.ts';
import { proxyHeader } from '../upstream/proxy-header.ts';
import { type Lookup, Resolver } from '../upstream/resolver.ts';
import { ServerTls } from '../upstream/server-tls.ts';
import { compileCheck, type HealthCheck } from './health-check.ts';
import type { HealthGate } from './health-gate.ts';
import { type CheckOutcome, HealthProbe } from './health-probe.ts';

/** What all servers that are checked share. */
export interface HealthResources {
  readonly gate: HealthGate;
  readonly block: HeadBlock;
  readonly lookup: Lookup;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** A check is over. @param to the new state when it changed */
  readonly checked: (target: HealthTarget, outcome: CheckOutcome, durationMs: number, to: Health | undefined) => void;
  /** It is checked from now on, or not any more. */
  readonly joined: (target: HealthTarget) => void;
  readonly left: (target: HealthTarget) => void;
  /** A check began later than an interval after it was due. */
  readonly late: () => void;
}

/** How its servers are connected to: as for requests. */
export interface HealthTransport {
  /** Undefined: without TLS. */
  readonly context: UpstreamContext | undefined;
  readonly proxyProtocol: UpstreamConfig['proxyProtocol'];
}

/** One server that is checked: its state, and when it is checked next. */
export class HealthTarget {
  readonly upstream: string;
  readonly server: ServerConfig;
  /** When the last check ended, milliseconds of `Date.now()`; undefined before the first. */
  checkedAt: number | undefined;
  /** What the last check found wrong; empty when it passed. */
  reason = 'not checked yet';
  private readonly resources: HealthResources;
  private readonly state: RiseFall;
  private readonly resolver: Resolver | undefined;
  private config: HealthConfig;
  private tls: ServerTls | undefined;
  private proxyProtocol: HealthTransport['proxyProtocol'];
  private check: HealthCheck;
  private probe: HealthProbe | undefined;
  private timer: NodeJS.Timeout | undefined;
  private leaveGate: () => void = () => {};
  private checks = 0;
  /** Which of the addresses of a name is asked: the one that answered last, or the one behind one that did not. */
  private rotation = 0;
  private stopped = false;

  constructor(
    upstream: string,
    server: ServerConfig,
    config: HealthConfig,
    transport: HealthTransport,
    resources: HealthResources,
  ) {
    this.upstream = upstream;
    this.server = server;
    this.config = config;
    this.resources = resources;
    this.connectBy(transport);
    this.state = new RiseFall(config, config.startAs);
    this.check = compileCheck(config, server);
    if ('host' in server.address && isIP(server.address.host) === 0) {
      this.resolver = new Resolver(server.address.host, resources.lookup);
    }
  }

  get health(): Health {
    return this.state.health;
  }

  /** Whether a check has told anything yet. */
  get known(): boolean {
    return this.state.known;
  }

  /** @param together how many begin at the same time */
  start(together: number): void {
    this.resources.joined(this);
    this.schedule(firstCheckDelay(this.config, together, this.resources.random()));
  }

  /** Takes another configuration; the state stays. */
  reconfigure(config: HealthConfig, transport: HealthTransport): void {
    this.connectBy(transport);
    if (JSON.stringify(config) === JSON.stringify(this.config)) return;
    this.config = config;
    this.check = compileCheck(config, this.server);
    this.state.configure(config);
    // A check under way goes on and schedules the next one; one that is only due may be due sooner now.
    if (this.timer !== undefined) this.schedule(secondCheckDelay(config, this.resources.random()));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.leaveGate();
    this.probe?.abort();
    this.resources.left(this);
  }

  /** Connections of checks begin so from now on. */
  connectBy({ context, proxyProtocol }: HealthTransport): void {
    this.proxyProtocol = proxyProtocol;
    if (context?.fingerprint === this.tls?.context.fingerprint) return;
    this.tls = context && new ServerTls(context, this.server);
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.due(), delayMs);
    this.timer.unref();
  }

  private due(): void {
    this.timer = undefined;
    const dueAt = performance.now();
    this.leaveGate = this.resources.gate.enter(() => {
      if (performance.now() - dueAt > this.config.interval) this.resources.late();
      this.begin();
    });
  }

  private begin(): void {
    const startedAt = performance.now();
    this.checks++;
    const { resolver } = this;
    if (resolver === undefined) return this.run(startedAt, this.addressOf(undefined));
    resolver.refresh(startedAt);
    if (resolver.addresses.length > 0) return this.runNext(resolver, startedAt);
    this.awaitName(resolver, startedAt);
  }

  /** The name is looked up for the first time, or has never stood for an address. */
  private awaitName(resolver: Resolver, startedAt: number): void {
    let waiting = true;
    const settle = (): void => {
      if (!waiting) return;
      waiting = false;
      clearTimeout(timer);
      if (this.stopped) return this.resources.gate.release();
      if (resolver.addresses.length > 0) return this.runNext(resolver, startedAt);
      const reason = resolver.error?.message ?? `the name was not resolved within ${this.config.timeout} ms`;
      this.over({ result: 'unresolved', reason }, startedAt);
      this.resources.gate.release();
    };
    const timer = setTimeout(settle, this.config.timeout);
    resolver.whenResolved(settle);
  }

  private runNext(resolver: Resolver, startedAt: number): void {
    const { addresses } = resolver;
    this.run(startedAt, this.addressOf(addresses[this.rotation % addresses.length]));
  }

  private run(startedAt: number, address: SocketAddress): void {
    const { gate, block } = this.resources;
    const timeoutMs = Math.max(1, this.config.timeout - (performance.now() - startedAt));
    // It is Portico itself that asks.
    const header = this.proxyProtocol && proxyHeader(this.proxyProtocol, undefined);
    const probe = new HealthProbe(
      { address, tls: this.tls, header, check: this.check, timeoutMs: Math.round(timeoutMs), block },
      {
        finished: (outcome) => this.over(outcome, startedAt),
        closed: () => {
          if (this.probe === probe) this.probe = undefined;
          gate.release();
        },
      },
    );
    this.probe = probe;
  }

  private addressOf(resolved: string | undefined): SocketAddress {
    const { address } = this.server;
    if ('socketPath' in address) return { path: address.socketPath };
    return { host: resolved ?? address.host, port: this.config.port ?? address.port };
  }

  private over(outcome: CheckOutcome, startedAt: number): void {
    if (this.stopped) return;
    const passed = outcome.result === 'passed';
    if (!passed) this.rotation++;
    this.reason = outcome.reason;
    this.checkedAt = Date.now();
    const to = this.state.record(passed);
    const { random, checked } = this.resources;
    const elapsed = performance.now() - startedAt;
    const pause =
      this.checks === 1 && to === undefined
        ? secondCheckDelay(this.config, random())
        : nextCheckDelay(this.config, this.health, random());
    this.schedule(Math.max(0, pause - elapsed));
    checked(this, outcome, elapsed, to);
  }
}
