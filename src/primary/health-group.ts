import type { HealthConfig, ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { UpstreamContext } from '../tls/upstream-context.ts';
import { Discovery } from '../upstream/discovery.ts';
import type { NameSource } from '../upstream/upstream.ts';
import { type HealthResources, HealthTarget, type HealthTransport } from './health-target.ts';

/** An upstream whose servers are checked. */
export type CheckedUpstream = UpstreamConfig & { readonly health: HealthConfig };

/** The checks of one upstream: of the servers in the configuration, and of those that names stand for by now. */
export class HealthGroup {
  private readonly names: NameSource;
  private readonly resources: HealthResources;
  private config: CheckedUpstream;
  private discoveries: readonly Discovery[] = [];
  private byServer = new Map<string, HealthTarget>();
  private transport: HealthTransport = { context: undefined, proxyProtocol: undefined };

  /** Checks nothing before `configure`. */
  constructor(config: CheckedUpstream, names: NameSource, resources: Omit<HealthResources, 'lookup'>) {
    this.config = config;
    this.names = names;
    this.resources = { ...resources, lookup: (...question) => names.addresses(...question) };
  }

  get targets(): Iterable<HealthTarget> {
    return this.byServer.values();
  }

  get followsNames(): boolean {
    return this.discoveries.length > 0;
  }

  /** Takes a configuration, the first one or that of a reload. Servers that stay keep their state. @param context for TLS */
  configure(config: CheckedUpstream, context?: UpstreamContext): void {
    this.config = config;
    this.transport = { context, proxyProtocol: config.proxyProtocol };
    this.names.configure(config.resolver);
    const former = new Map(this.discoveries.map((discovery) => [discovery.config.name, discovery]));
    this.discoveries = config.discovered.map((discovered) => {
      const discovery = former.get(discovered.name) ?? new Discovery(discovered, this.names);
      discovery.reconfigure(discovered);
      discovery.refresh(performance.now());
      return discovery;
    });
    this.update();
  }

  /** Takes what connections are secured with from now on. */
  secure(context: UpstreamContext): void {
    this.transport = { ...this.transport, context };
    for (const target of this.byServer.values()) target.connectBy(this.transport);
  }

  /** Looks names up whose time is over. @returns whether other servers are checked now */
  followNames(now: number): boolean {
    let changed = false;
    for (const discovery of this.discoveries) if (discovery.refresh(now)) changed = true;
    if (changed) this.update();
    return changed;
  }

  stop(): void {
    for (const target of this.byServer.values()) target.stop();
    this.byServer.clear();
  }

  private update(): void {
    const { transport } = this;
    const { servers, health, name } = this.config;
    const former = this.byServer;
    this.byServer = new Map();
    const added: HealthTarget[] = [];
    for (const server of [...servers, ...this.discoveries.flatMap((discovery) => discovery.servers)]) {
      const key = keyOf(server);
      // Two names may stand for the same server.
      if (this.byServer.has(key)) continue;
      const kept = former.get(key);
      former.delete(key);
      kept?.reconfigure(health, transport);
      const target = kept ?? new HealthTarget(name, server, health, transport, this.resources);
      if (kept === undefined) added.push(target);
      this.byServer.set(key, target);
    }
    for (const target of former.values()) target.stop();
    for (const target of added) target.start(added.length);
  }
}

/** With the name that a certificate is verified for, where that is another than the address. */
function keyOf({ name, address, foundBy }: ServerConfig): string {
  return JSON.stringify([name, address, foundBy]);
}
