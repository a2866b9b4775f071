import { performance } from 'node:perf_hooks';
import type { ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { ServerState } from '../ipc/message.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { HeadBlock } from './head-block.ts';
import { ReadBuffers } from './read-buffers.ts';
import { type Lookup, systemLookup } from './resolver.ts';
import { Server, type ServerResources } from './server.ts';
import { ServerMetrics } from './server-metrics.ts';
import { UpstreamMetrics } from './upstream-metrics.ts';

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
  private list: readonly Server[] = [];
  /** Servers that a reload has removed, until their last connection is closed. */
  private retired: Server[] = [];
  private readonly recorder: Recorder;
  private readonly resources: ServerResources;
  private timer: NodeJS.Timeout | undefined;
  private tickMs = 0;
  private closing = false;

  constructor(config: UpstreamConfig, recorder: Recorder, lookup: Lookup = systemLookup) {
    this.name = config.name;
    this.config = config;
    this.recorder = recorder;
    this.metrics = new UpstreamMetrics(recorder, config.name);
    this.resources = {
      metrics: this.metrics,
      block: this.block,
      buffers: new ReadBuffers(),
      lookup,
      returned: () => this.onReturn?.(),
    };
    this.reconfigure(config);
  }

  /** The servers in the order of the configuration. */
  get servers(): readonly Server[] {
    return this.list;
  }

  /** Takes a new configuration. A server whose name and address stay keeps its connections and its state. */
  reconfigure(config: UpstreamConfig): void {
    this.config = config;
    const former = new Map(this.list.map((server) => [serverKey(server), server]));
    this.list = config.servers.map((serverConfig) => {
      const key = serverKey(serverConfig);
      const kept = former.get(key);
      former.delete(key);
      kept?.reconfigure(config, serverConfig);
      return kept ?? this.makeServer(config, serverConfig);
    });
    this.retire([...former.values()]);
    this.startClock(tickFor(config));
  }

  states(): ServerState[] {
    const now = performance.now();
    return this.list.map((server) => server.state(now));
  }

  /** Closes idle connections now, and the others when their requests are over. */
  close(): void {
    this.closing = true;
    this.retire(this.list);
    this.sweep();
  }

  private makeServer(config: UpstreamConfig, server: ServerConfig): Server {
    const metrics = new ServerMetrics(this.recorder, config.name, server.name);
    return new Server(config, server, metrics, this.resources);
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
    if (!this.closing) for (const server of this.list) server.sweep(now);
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

function serverKey({ name, address }: Pick<ServerConfig, 'name' | 'address'>): string {
  return JSON.stringify([name, address]);
}
