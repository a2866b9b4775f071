import { Resolver as DnsResolver, resolveSrv, type SrvRecord } from 'node:dns';
import { type Lookup, systemLookup } from './resolver.ts';

/** Where names are looked up. `timeout` in milliseconds. */
export interface NameServiceConfig {
  /** Addresses of name servers, with or without a port; undefined: as the system does. */
  readonly servers?: readonly string[] | undefined;
  readonly timeout: number;
}

/** Looks up which servers offer a service (SRV records, RFC 2782): calls `found` once. */
export type ServiceLookup = (
  name: string,
  found: (error: Error | undefined, records: readonly SrvRecord[]) => void,
) => void;

/** Times that a name server is asked. */
const tries = 2;

/**
 * Looks names up: as the system does, or at name servers of the configuration. Those know nothing of /etc/hosts and of
 * search domains.
 */
export class NameService {
  private resolver: DnsResolver | undefined;
  private key = '';

  /** Takes a configuration; look-ups under way end as they began. */
  configure(config: NameServiceConfig): void {
    const key = JSON.stringify(config);
    if (key === this.key) return;
    this.key = key;
    const { servers, timeout } = config;
    // Within the whole of the time: each try waits twice as long as the one before.
    this.resolver = servers === undefined ? undefined : new DnsResolver({ timeout: Math.ceil(timeout / 3), tries });
    if (servers !== undefined) this.resolver?.setServers(servers);
  }

  readonly addresses: Lookup = (host, found, timeToLive) => {
    if (this.resolver === undefined) systemLookup(host, found, timeToLive);
    else lookupBoth(this.resolver, host, found, timeToLive);
  };

  readonly services: ServiceLookup = (name, found) => {
    const answer = (error: Error | null, records: SrvRecord[]): void => found(error ?? undefined, error ? [] : records);
    if (this.resolver === undefined) resolveSrv(name, answer);
    else this.resolver.resolveSrv(name, answer);
  };
}

/** IPv4 and IPv6 at the same time; one of them is enough. */
function lookupBoth(resolver: DnsResolver, host: string, ...[found, timeToLive]: AfterHost): void {
  const addresses: string[] = [];
  let failure: Error | undefined;
  let pending = 2;
  const take = (error: Error | null, records: readonly { address: string; ttl: number }[]): void => {
    if (error) failure ??= error;
    else {
      addresses.push(...records.map(({ address }) => address));
      if (records.length > 0) timeToLive(Math.min(...records.map(({ ttl }) => ttl)));
    }
    pending--;
    if (pending === 0) found(addresses.length > 0 ? undefined : failure, addresses);
  };
  resolver.resolve4(host, { ttl: true }, take);
  resolver.resolve6(host, { ttl: true }, take);
}

type AfterHost = [Parameters<Lookup>[1], Parameters<Lookup>[2]];
