import { performance } from 'node:perf_hooks';
import type { ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { ServerState } from '../ipc/message.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { UpstreamContext } from '../tls/upstream-context.ts';
import { Discovery } from './discovery.ts';
import type { HandshakeError } from './handshake-error.ts';
import { HeadBlock } from './head-block.ts';
import { NameService } from './name-service.ts';
import { ReadBuffers } from './read-buffers.ts';
import { Server, type ServerResources } from './server.ts';
import { ServerMetrics } from './server-metrics.ts';
import { UpstreamMetrics } from './upstream-metrics.ts';

/** Where an upstream looks names up. */
export type NameSource = Pick<NameService, 'configure' | 'addresses' | 'services'>;

/** Bounds on the interval of the clock that all timeouts of an upstream share, milliseconds. */
const minTickMs = 10;
const maxTickMs = 250;

/**
 * A group of servers that answer the same requests, and everything that lives longer than a request: connections, who is
 * backed off, one coarse clock for all timeouts. One per worker and name; it lives on over reloads.
 */
export class Upstream {
  readonly name: string;
  readonly metrics: UpstreamMetrics;
  /** Where response heads are put together before they are handed on. */
  readonly block: HeadBlock = new HeadBlock();
  /** The configuration in force. */
  config: UpstreamConfig;
  /** Called when a server may take requests that might not before, other than by the passing of time. */
  onReturn: (() => void) | undefined;
  /** Called when names have come to stand for other servers. */
  onServersChange: (() => void) | undefined;
  /** Called when there was no TLS with a server, each time. */
  onHandshakeFailure: ((server: string, error: HandshakeError) => void) | undefined;
  private list: readonly Server[] = [];
  private discoveries: readonly Discovery[] = [];
  /** Where names are looked up, counted. */
  private readonly names: NameSource;
  /** Servers that a reload has removed, until their last connection is closed. */
  private retired: Server[] = [];
  private readonly recorder: Recorder;
  private readonly resources: ServerResources;
  private timer: NodeJS.Timeout | undefined;
  private tickMs = 0;
  /** What TLS is made with; undefined: the servers speak none. */
  private context: UpstreamContext | undefined;
  private closing = false;

  /** @param context what TLS is made with, where the servers speak it */
  constructor(
    config: UpstreamConfig,
    recorder: Recorder,
    names: NameSource = new NameService(),
    context?: UpstreamContext,
  ) {
    this.name = config.name;
    this.config = config;
    this.recorder = recorder;
    this.metrics = new UpstreamMetrics(recorder, config.name);
    this.names = countedNames(names, this.metrics);
    this.resources = {
      metrics: this.metrics,
      block: this.block,
      buffers: new ReadBuffers(),
      lookup: this.names.addresses,
      returned: () => this.onReturn?.(),
      handshakeFailed: (server, error) => this.onHandshakeFailure?.(server, error),
    };
    this.reconfigure(config, context);
  }

  /** The servers in the order of the configuration, those that names stand for behind the others. A new list at each change. */
  get servers(): readonly Server[] {
    return this.list;
  }

  /**
   * Takes a new configuration. A server whose name and address stay keeps its connections and its state.
   * @param context what TLS is made with from now on; the former one when left out
   */
  reconfigure(config: UpstreamConfig, context?: UpstreamContext): void {
    // Never without TLS where there should be some.
    const next = config.tls === undefined ? undefined : (context ?? this.context);
    if (config.tls !== undefined && next === undefined)
      throw new Error(`upstream ${config.name}: nothing to make TLS with`);
    this.config = config;
    this.context = next;
    this.names.configure(config.resolver);
    const former = new Map(this.discoveries.map((discovery) => [discovery.config.name, discovery]));
    const now = performance.now();
    this.discoveries = config.discovered.map((discovered) => {
      const discovery = former.get(discovered.name) ?? new Discovery(discovered, this.names);
      discovery.reconfigure(discovered);
      discovery.refresh(now);
      return discovery;
    });
    this.updateServers();
    this.startClock(tickFor(config));
  }

  states(): ServerState[] {
    const now = performance.now();
    const unresolved = this.discoveries.filter(({ servers }) => servers.length === 0);
    return [
      ...this.list.map((server) => server.state(now)),
      ...unresolved.map((discovery) => unresolvedState(this.name, discovery)),
    ];
  }

  /** Closes idle connections now, and the others when their requests are over. */
  close(): void {
    this.closing = true;
    this.retire(this.list);
    this.sweep();
  }

  /** Brings the servers to what the configuration says and what the names stand for. */
  private updateServers(): void {
    const { config } = this;
    const former = new Map(this.list.map((server) => [serverKey(server), server]));
    const areFirst = former.size === 0;
    const list: Server[] = [];
    const taken = new Set<string>();
    for (const serverConfig of [...config.servers, ...this.discoveries.flatMap(({ servers }) => servers)]) {
      // Two names may stand for the same server.
      if (taken.has(serverConfig.name)) continue;
      taken.add(serverConfig.name);
      const key = serverKey(serverConfig);
      const kept = former.get(key);
      former.delete(key);
      kept?.reconfigure(config, serverConfig, this.context);
      const server = kept ?? this.makeServer(config, serverConfig);
      if (kept === undefined && !areFirst) server.arrived();
      list.push(server);
    }
    this.list = list;
    this.retire([...former.values()]);
  }

  private followNames(now: number): void {
    let changed = false;
    for (const discovery of this.discoveries) if (discovery.refresh(now)) changed = true;
    if (!changed) return;
    this.updateServers();
    this.onServersChange?.();
    this.onReturn?.();
  }

  private makeServer(config: UpstreamConfig, server: ServerConfig): Server {
    const metrics = new ServerMetrics(this.recorder, config.name, server.name);
    return new Server(config, server, metrics, this.resources, this.context);
  }

  private retire(servers: readonly Server[]): void {
    for (const server of servers) {
      server.retire();
      this.retired.push(server);
    }
  }

  private startClock(tickMs: number): void {
    if (this.tickMs === tickMs) return;
    clearInterval(this.timer);
    this.tickMs = tickMs;
    this.timer = setInterval(() => this.sweep(), tickMs);
    // Connections keep the process alive, the clock must not.
    this.timer.unref();
  }

  private sweep(): void {
    const now = performance.now();
    if (!this.closing) {
      this.followNames(now);
      for (const server of this.list) server.sweep(now);
    }
    for (const server of this.retired) server.sweep(now);
    if (this.retired.length > 0) this.retired = this.retired.filter((server) => server.open > 0 || server.active > 0);
    if (this.closing && this.retired.length === 0) clearInterval(this.timer);
  }
}

/** A quarter of the shortest timeout: late by no more than that. */
function tickFor({ timeouts, keepAlive }: UpstreamConfig): number {
  const shortest = Math.min(timeouts.connect, timeouts.response, timeouts.read, timeouts.write, keepAlive.idleTimeout);
  return Math.min(maxTickMs, Math.max(minTickMs, Math.floor(shortest / 4)));
}

/** Counts what look-ups come to. */
function countedNames(names: NameSource, metrics: UpstreamMetrics): NameSource {
  return {
    configure: (config) => names.configure(config),
    addresses: (host, found, timeToLive) => {
      const counted = (error: Error | undefined, addresses: readonly string[]): void => {
        metrics.resolved(error);
        found(error, addresses);
      };
      names.addresses(host, counted, timeToLive);
    },
    services: (name, found) => {
      names.services(name, (error, records) => {
        metrics.resolved(error);
        found(error, records);
      });
    },
  };
}

/** A name that stands for no server, as far as is known. */
function unresolvedState(upstream: string, { config, error }: Discovery): ServerState {
  const { name, template } = config;
  const idle = { active: 0, idle: 0, weight: template.weight, effectiveWeight: 0, backup: template.level > 0 };
  const state = { upstream, server: name, up: false, ...idle, condition: 'unresolved' as const };
  return error === undefined ? state : { ...state, lastError: error.message };
}

function serverKey({ name, address }: Pick<ServerConfig, 'name' | 'address'>): string {
  return JSON.stringify([name, address]);
}
