import { isIP } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { ServerState } from '../ipc/message.ts';
import { Connection, type ConnectionOwner, type ConnectionUser, type SocketAddress } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { HeadBlock } from './head-block.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { type Lookup, Resolver } from './resolver.ts';
import { ServerMetrics } from './server-metrics.ts';
import type { UpstreamMetrics } from './upstream-metrics.ts';

/** Longest time that a server is passed over, milliseconds. */
const maxBackoffMs = 30_000;
/** Pause before a Unix socket whose backlog is full is tried again, milliseconds. */
const backlogPauseMs = 20;

/** What the servers of an upstream share. */
export interface ServerResources {
  readonly metrics: UpstreamMetrics;
  readonly block: HeadBlock;
  readonly buffers: ReadBuffers;
  readonly lookup: Lookup;
}

/** One application instance: its connections, and whether it takes them. Lives on over reloads that leave its address as it is. */
export class Server implements ConnectionOwner {
  readonly name: string;
  readonly address: ServerConfig['address'];
  readonly metrics: ServerMetrics;
  weight: number;
  /** State of smooth weighted round-robin. */
  currentWeight = 0;
  /** Requests being worked on. */
  active = 0;
  /** `performance.now()` until which it is passed over; 0 when it is not. */
  backedOffUntil = 0;
  /** When a connection was refused last. */
  failedAt = 0;

  private readonly upstream: string;
  private readonly resources: ServerResources;
  private readonly resolver: Resolver | undefined;
  private readonly pool = new ConnectionPool();
  private readonly connections = new Set<Connection>();
  private config: UpstreamConfig;
  private failures = 0;
  private lastError: string | undefined;
  private retired = false;
  /** Addresses of the name that refused since it was resolved last. */
  private readonly refusing = new Set<string>();
  private rotation = 0;

  constructor(config: UpstreamConfig, server: ServerConfig, metrics: ServerMetrics, resources: ServerResources) {
    this.name = server.name;
    this.address = server.address;
    this.weight = server.weight;
    this.upstream = config.name;
    this.config = config;
    this.metrics = metrics;
    this.resources = resources;
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

  /** Whether connections outlive a request. */
  get keepsAlive(): boolean {
    return this.config.keepAlive.maxIdle > 0 && !this.retired;
  }

  reconfigure(config: UpstreamConfig, server: ServerConfig): void {
    this.config = config;
    this.weight = server.weight;
    this.pool.sweep(performance.now(), config.keepAlive.idleTimeout);
  }

  /** An idle connection, if there is one. */
  takeIdle(user: ConnectionUser, now: number): Connection | undefined {
    const connection = this.pool.take(now, this.config.keepAlive.idleTimeout);
    connection?.assign(user);
    return connection;
  }

  /** Opens a connection; `user` hears of it later, never from within this call. */
  connect(user: ConnectionUser, now: number): Connection {
    const connection = new Connection(this, user, this.resources.block, this.resources.buffers);
    connection.deadlineAt = now + this.config.timeouts.connect;
    this.connections.add(connection);
    this.resolver?.refresh(now);
    if (this.resolver === undefined || this.resolver.addresses.length > 0) {
      connection.begin(this.nextAddress());
    } else {
      this.resolver.whenResolved(() => this.beginResolved(connection));
    }
    return connection;
  }

  /** A connection did not open in time. */
  connectTimedOut(connection: Connection, now: number): void {
    const { address } = connection;
    if (address !== undefined) this.avoid(address, now);
    this.backOff(now, `no connection within ${this.config.timeouts.connect} ms`);
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
    this.metrics.up.set(now < this.backedOffUntil ? 0 : 1);
  }

  /** Takes no more connections back; those in use finish. */
  retire(): void {
    this.retired = true;
    this.pool.clear();
    this.metrics.withdraw();
  }

  state(now: number): ServerState {
    const up = now >= this.backedOffUntil;
    const state = { upstream: this.upstream, server: this.name, up, active: this.active, idle: this.pool.size };
    return up || this.lastError === undefined ? state : { ...state, lastError: this.lastError };
  }

  opened(connection: Connection): void {
    this.failures = 0;
    this.backedOffUntil = 0;
    this.lastError = undefined;
    if (this.refusing.size > 0) this.refusing.clear();
    this.resources.metrics.connect.observe((performance.now() - connection.startedAt) / 1000);
  }

  attemptFailed(connection: Connection, failed: SocketAddress, error: Error): void {
    const now = performance.now();
    if ('path' in failed && (error as NodeJS.ErrnoException).code === 'EAGAIN') {
      // The backlog of a Unix socket is full; TCP would wait by itself. The connect timeout bounds it.
      setTimeout(() => connection.begin(failed), backlogPauseMs);
      return;
    }
    this.avoid(failed, now);
    const addresses = this.resolver?.addresses ?? [];
    if (addresses.some((address) => !this.refusing.has(address))) return connection.begin(this.nextAddress());
    this.refusing.clear();
    this.backOff(now, error.message);
    connection.giveUp(error);
  }

  offer(connection: Connection): boolean {
    if (!this.keepsAlive || !this.isCurrent(connection.address)) return false;
    return this.pool.put(connection, performance.now(), this.config.keepAlive.maxIdle);
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
    this.pool.remove(connection);
  }

  private beginResolved(connection: Connection): void {
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

  /** Passes the server over for a while. Many requests find it dead at once: they count as one refusal. */
  private backOff(now: number, reason: string): void {
    this.lastError = reason;
    this.failedAt = now;
    if (now < this.backedOffUntil) return;
    this.failures = Math.min(this.failures + 1, 31);
    const longest = Math.max(maxBackoffMs, this.config.failBackoff);
    this.backedOffUntil = now + Math.min(longest, this.config.failBackoff * 2 ** (this.failures - 1));
  }
}
