import { isIP } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ServerLimit } from '../balancer/server-limit.ts';
import type { ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { ServerState } from '../ipc/message.ts';
import type { UpstreamContext } from '../tls/upstream-context.ts';
import { type AdministrativeState, Availability } from './availability.ts';
import { Connection, type ConnectionOwner, type ConnectionUser, type SocketAddress } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { HandshakeError } from './handshake-error.ts';
import type { HeadBlock } from './head-block.ts';
import { LatencyEstimate } from './latency-estimate.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { type Lookup, Resolver } from './resolver.ts';
import { ServerMetrics } from './server-metrics.ts';
import { ServerTls } from './server-tls.ts';
import type { UpstreamMetrics } from './upstream-metrics.ts';

/** Pause before a Unix socket whose backlog is full is tried again, milliseconds. */
const backlogPauseMs = 20;

/** What the servers of an upstream share. */
export interface ServerResources {
  readonly metrics: UpstreamMetrics;
  readonly block: HeadBlock;
  readonly buffers: ReadBuffers;
  readonly lookup: Lookup;
  /** A server may take requests that might not before, or may take more of them. */
  readonly returned: () => void;
  /** There is a server, but no TLS with it. */
  readonly handshakeFailed: (server: string, error: HandshakeError) => void;
}

/** A connection that is to be opened, as far as a server has to know it. */
export type Dialing = Pick<Connection, 'address' | 'startedAt' | 'isConnecting' | 'begin' | 'giveUp' | 'expire'>;

/** One application instance: its connections, and whether it takes them. Lives on over reloads that leave its address as it is. */
export class Server implements ConnectionOwner {
  readonly name: string;
  readonly address: ServerConfig['address'];
  readonly metrics: ServerMetrics;
  weight: number;
  /** 0 for one that is used always, more for a backup. */
  level: number;
  /** State of smooth weighted round-robin. */
  currentWeight = 0;
  /** Requests being worked on. */
  active = 0;
  /** Set by the admission while it has as many requests as it may have. */
  saturated = false;
  /** Most requests at a time over all workers; undefined for no bound. */
  maxConnections: number | undefined;
  /** How connections are secured that begin now; undefined: not at all. */
  tls: ServerTls | undefined;
  /** What keeps it there; the admission's. */
  limit: ServerLimit | undefined;
  /** Whether it takes requests, and why not. */
  readonly availability = new Availability();
  readonly latency = new LatencyEstimate();

  private readonly upstream: string;
  private readonly resources: ServerResources;
  private readonly resolver: Resolver | undefined;
  private readonly pool = new ConnectionPool();
  private readonly connections = new Set<Connection>();
  private config: UpstreamConfig;
  private configuredState: AdministrativeState;
  /** What was said at run time; counts instead of the configuration. */
  private stateAtRunTime: AdministrativeState | undefined;
  private retired = false;
  /** Addresses of the name that refused since it was resolved last. */
  private readonly refusing = new Set<string>();
  private rotation = 0;

  /** @param context what TLS is made with; undefined for a server without TLS */
  constructor(
    config: UpstreamConfig,
    server: ServerConfig,
    metrics: ServerMetrics,
    resources: ServerResources,
    context?: UpstreamContext,
  ) {
    this.name = server.name;
    this.address = server.address;
    this.weight = server.weight;
    this.level = server.level;
    this.maxConnections = server.maxConnections;
    this.configuredState = server.state;
    this.availability.setState(server.state, performance.now());
    this.upstream = config.name;
    this.config = config;
    this.metrics = metrics;
    this.resources = resources;
    this.tls = this.tlsOf(server, context);
    if ('host' in server.address && isIP(server.address.host) === 0) {
      this.resolver = new Resolver(server.address.host, resources.lookup);
      this.resolver.refresh(performance.now());
    }
  }

  /** Open connections, in use or idle. */
  get open(): number {
    return this.connections.size;
  }

  get maxResponseHead(): number {
    return this.config.maxResponseHead;
  }

  get timeouts(): UpstreamConfig['timeouts'] {
    return this.config.timeouts;
  }

  /** With which version of the PROXY protocol a connection begins; undefined: with none. */
  get proxyProtocol(): UpstreamConfig['proxyProtocol'] {
    return this.config.proxyProtocol;
  }

  /** Whether connections outlive a request; never those that are said to be of one client. */
  get keepsAlive(): boolean {
    return this.config.keepAlive.maxIdle > 0 && !this.retired && this.config.proxyProtocol === undefined;
  }

  // --- what balancers ask ---

  get failedAt(): number {
    return this.availability.failedAt;
  }

  get inService(): boolean {
    return this.availability.state === 'ready';
  }

  mayTake(now: number): boolean {
    return this.availability.mayTake(now);
  }

  mayKeep(now: number): boolean {
    return this.availability.mayKeep(now);
  }

  effectiveWeight(now: number): number {
    const { slowStart } = this.config;
    return slowStart === 0 ? this.weight : this.weight * this.availability.share(now, slowStart);
  }

  latencyMs(now: number): number {
    return this.latency.current(now);
  }

  // --- what others find out ---

  /** Takes what active checks found. @param reason why it is down */
  setHealth(up: boolean, reason?: string): void {
    if (this.availability.setHealth(up, reason, performance.now())) this.resources.returned();
  }

  /** Passes the server over until that `performance.now()`; one that has passed takes it back at once. */
  ejectUntil(time: number, reason?: string): void {
    const now = performance.now();
    this.availability.ejectUntil(time, reason, now);
    if (time <= now) this.resources.returned();
  }

  /** Drains the server, puts it in maintenance or takes it back; `undefined` goes back to what the configuration says. */
  setState(state: AdministrativeState | undefined): void {
    this.stateAtRunTime = state;
    if (this.availability.setState(state ?? this.configuredState, performance.now())) this.resources.returned();
  }

  /** It has come to servers that are there already. */
  arrived(): void {
    this.availability.arrived(performance.now());
  }

  reconfigure(config: UpstreamConfig, server: ServerConfig, context?: UpstreamContext): void {
    this.config = config;
    this.secure(server, context);
    this.weight = server.weight;
    this.level = server.level;
    this.maxConnections = server.maxConnections;
    this.configuredState = server.state;
    this.setState(this.stateAtRunTime);
    if (this.keepsAlive) this.pool.sweep(performance.now(), config.keepAlive.idleTimeout);
    else this.pool.clear();
  }

  /** An idle connection, if there is one. */
  takeIdle(user: ConnectionUser, now: number): Connection | undefined {
    const connection = this.pool.take(now, this.config.keepAlive.idleTimeout);
    connection?.assign(user);
    return connection;
  }

  /**
   * Opens a connection; `user` hears of it later, never from within this call.
   * @param header what is sent first, where there is a `proxyProtocol`
   */
  connect(user: ConnectionUser, now: number, header?: Uint8Array): Connection {
    const connection = new Connection(this, user, this.resources.block, this.resources.buffers, header);
    connection.deadlineAt = now + this.config.timeouts.connect;
    this.connections.add(connection);
    this.dial(connection, now);
    return connection;
  }

  /** Tells a connection where to connect to, at once or when the name was looked up; one of those made here, or somebody's own. */
  dial(connection: Dialing, now: number): void {
    this.resolver?.refresh(now);
    if (this.resolver === undefined || this.resolver.addresses.length > 0) {
      connection.begin(this.nextAddress());
    } else {
      this.resolver.whenResolved(() => this.beginResolved(connection));
    }
  }

  /** A connection did not open in time, and is given up. @returns in words what did not come */
  connectTimedOut(connection: Dialing, now: number): string {
    const { address } = connection;
    if (address !== undefined) this.avoid(address, now);
    const reason = `no ${connection.expire()} within ${this.config.timeouts.connect} ms`;
    this.backOff(now, reason);
    return reason;
  }

  /** Closes idle connections: one of them was found dead, so the others are in doubt. */
  dropIdle(): void {
    this.pool.clear();
  }

  /** Closes what was idle too long, and tells users whose deadline has passed. */
  sweep(now: number): void {
    this.resolver?.refresh(now);
    this.pool.sweep(now, this.config.keepAlive.idleTimeout);
    for (const connection of this.connections) connection.checkDeadline(now);
    if (this.retired) return;
    this.metrics.active.set(this.active);
    this.metrics.idle.set(this.pool.size);
    this.metrics.up.set(this.availability.mayKeep(now) ? 1 : 0);
    this.metrics.weight.set(this.effectiveWeight(now));
  }

  /** Takes no more connections back; those in use finish. */
  retire(): void {
    this.retired = true;
    this.pool.clear();
    this.metrics.withdraw();
  }

  state(now: number): ServerState {
    const { availability } = this;
    const up = availability.mayTake(now);
    const state = {
      upstream: this.upstream,
      server: this.name,
      up,
      active: this.active,
      idle: this.pool.size,
      weight: this.weight,
      effectiveWeight: this.effectiveWeight(now),
      backup: this.level > 0,
      condition: conditionOf(availability, now),
    };
    return up || availability.reason === undefined ? state : { ...state, lastError: availability.reason };
  }

  opened(connection: Dialing): void {
    const now = performance.now();
    const wasAway = this.availability.isBackedOff(now);
    this.availability.connected(now);
    if (this.refusing.size > 0) this.refusing.clear();
    this.resources.metrics.connect.observe((now - connection.startedAt) / 1000);
    if (wasAway) this.resources.returned();
  }

  attemptFailed(connection: Dialing, failed: SocketAddress, error: Error): void {
    const now = performance.now();
    if ('path' in failed && (error as NodeJS.ErrnoException).code === 'EAGAIN') {
      // The backlog of a Unix socket is full; TCP would wait by itself. The connect timeout bounds it.
      setTimeout(() => connection.begin(failed), backlogPauseMs);
      return;
    }
    if (error instanceof HandshakeError) this.resources.handshakeFailed(this.name, error);
    this.avoid(failed, now);
    const addresses = this.resolver?.addresses ?? [];
    if (addresses.some((address) => !this.refusing.has(address))) return connection.begin(this.nextAddress());
    this.refusing.clear();
    this.backOff(now, error.message);
    connection.giveUp(error);
  }

  offer(connection: Connection, now: number): boolean {
    if (!this.keepsAlive || connection.tls !== this.tls || !this.isCurrent(connection.address)) return false;
    return this.pool.put(connection, now, this.config.keepAlive.maxIdle);
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
    this.pool.remove(connection);
  }

  /** Takes what TLS is made with from now on; connections that were made otherwise are not used again. */
  private secure(server: ServerConfig, context: UpstreamContext | undefined): void {
    const next = this.tlsOf(server, context);
    const { tls } = this;
    if (next?.context.fingerprint === tls?.context.fingerprint && next?.name === tls?.name) return;
    this.tls = next;
    this.pool.clear();
  }

  private tlsOf(server: ServerConfig, context: UpstreamContext | undefined): ServerTls | undefined {
    return context && new ServerTls(context, server, this.resources.metrics);
  }

  private beginResolved(connection: Dialing): void {
    const { resolver } = this;
    if (resolver === undefined || !connection.isConnecting) return;
    if (resolver.addresses.length > 0) return connection.begin(this.nextAddress());
    const error = resolver.error ?? new Error(`${this.name} does not resolve`);
    this.backOff(performance.now(), error.message);
    connection.giveUp(error);
  }

  /** The addresses of a name take turns; those that refused come back once all have. */
  private nextAddress(): SocketAddress {
    const { address } = this;
    if ('socketPath' in address) return { path: address.socketPath };
    if (this.resolver === undefined) return { host: address.host, port: address.port };
    const all = this.resolver.addresses;
    const usable = this.refusing.size === 0 ? all : all.filter((host) => !this.refusing.has(host));
    const candidates = usable.length > 0 ? usable : all;
    return { host: candidates[this.rotation++ % candidates.length] as string, port: address.port };
  }

  private avoid(failed: SocketAddress, now: number): void {
    if (this.resolver === undefined || !('host' in failed)) return;
    this.refusing.add(failed.host);
    this.resolver.doubt(now);
  }

  /** Whether the name still stands for the address. */
  private isCurrent(address: SocketAddress | undefined): boolean {
    if (this.resolver === undefined || address === undefined || !('host' in address)) return true;
    return this.resolver.addresses.includes(address.host);
  }

  private backOff(now: number, reason: string): void {
    this.availability.backOff(now, this.config.failBackoff, reason);
  }
}

/** What /status calls it. What the operator wants comes before what was found out. */
function conditionOf(availability: Availability, now: number): ServerState['condition'] {
  const { state } = availability;
  if (state !== 'ready') return state;
  if (availability.health === false) return 'unhealthy';
  if (availability.isEjected(now)) return 'ejected';
  return availability.isBackedOff(now) ? 'backed-off' : 'up';
}
