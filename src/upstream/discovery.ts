import type { SrvRecord } from 'node:dns';
import { isIPv6 } from 'node:net';
import type { DiscoveryConfig, ServerConfig } from '../config/config.ts';
import type { NameService } from './name-service.ts';
import { Resolver } from './resolver.ts';

/** Most servers that a name stands for: more would be a mistake, and each is a row of metrics. */
const maxServers = 256;
/** Pause after a look-up that failed, milliseconds, unless `interval` is shorter. */
const retryMs = 1000;

/**
 * The servers that a name stands for by now: those of an SRV name, or one for each address. While the name is looked up,
 * and while that fails, the former ones stay.
 */
export class Discovery {
  config: DiscoveryConfig;
  servers: readonly ServerConfig[] = [];
  /** Why the latest look-up failed. */
  error: Error | undefined;
  private readonly names: Pick<NameService, 'services'>;
  private readonly resolver: Resolver | undefined;
  private addresses: readonly string[] = [];
  private records: readonly SrvRecord[] = [];
  private key = '[]';
  private dueAt = 0;
  private running = false;
  private changed = false;

  constructor(config: DiscoveryConfig, names: Pick<NameService, 'addresses' | 'services'>) {
    this.config = config;
    this.names = names;
    if ('host' in config.source)
      this.resolver = new Resolver(config.source.host, (...question) => names.addresses(...question));
  }

  /** Takes a new configuration of the same source: what is known of the name stays. */
  reconfigure(config: DiscoveryConfig): void {
    this.config = config;
    this.derive();
  }

  /** Looks the name up when it is time. @returns whether the servers have changed since the last call */
  refresh(now: number): boolean {
    const { source } = this.config;
    if ('host' in source) this.followAddresses(now);
    else if (!this.running && now >= this.dueAt) this.askService(source.service, now);
    const { changed } = this;
    this.changed = false;
    return changed;
  }

  private followAddresses(now: number): void {
    const { resolver } = this;
    if (resolver === undefined) return;
    resolver.refresh(now);
    this.error = resolver.error;
    if (resolver.addresses === this.addresses) return;
    this.addresses = resolver.addresses;
    this.derive();
  }

  private askService(service: string, now: number): void {
    this.running = true;
    this.names.services(service, (error, records) => {
      this.running = false;
      const { interval } = this.config;
      this.error = error ?? (records.length === 0 ? new Error(`${service} has no SRV record`) : undefined);
      this.dueAt = now + (this.error === undefined ? interval : Math.min(interval, retryMs));
      if (this.error !== undefined) return;
      this.records = records;
      this.derive();
    });
  }

  /** Makes servers of what is known of the name. */
  private derive(): void {
    const { source, template } = this.config;
    // Name servers turn the order of addresses about at each answer; that is no change.
    const servers =
      'host' in source
        ? [...new Set(this.addresses)].toSorted().map((host) => serverAt(template, host, source.port))
        : serversOf(this.records, template);
    const bounded = servers.slice(0, maxServers);
    const key = JSON.stringify(bounded);
    if (key === this.key) return;
    this.key = key;
    this.servers = bounded;
    this.changed = true;
  }
}

/** Priorities become levels in their order, weights are weights (RFC 2782). */
export function serversOf(records: readonly SrvRecord[], template: DiscoveryConfig['template']): ServerConfig[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].toSorted((one, two) => one - two);
  // A target of "." says that the service is not offered.
  const offered = records.filter(({ name }) => name !== '' && name !== '.');
  const servers = offered.map(({ name, port, priority, weight }) => {
    const server = serverAt(template, name.replace(/\.$/, '').toLowerCase(), port);
    const level = template.level + priorities.indexOf(priority);
    // A weight of 0 stands for a very small chance.
    return { ...server, level, weight: Math.max(1, weight) * template.weight };
  });
  return servers.toSorted((one, two) => one.level - two.level || (one.name < two.name ? -1 : 1));
}

function serverAt(template: DiscoveryConfig['template'], host: string, port: number): ServerConfig {
  return { ...template, name: isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`, address: { host, port } };
}
