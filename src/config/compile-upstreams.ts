import { isIP } from 'node:net';
import { compileHealth, compilePassiveHealth } from './compile-health.ts';
import { compileUpstreamTls, type WrittenServer } from './compile-upstream-tls.ts';
import type { DiscoveryConfig, ServerConfig, UpstreamConfig } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { folderMistake } from './file-check.ts';
import { quote } from './finding.ts';
import { splitHostPort } from './host-name.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { parseServerUrl } from './server-url.ts';

/** What a server is that is given by its URL alone. */
const plainServer = {
  weight: 1,
  maxConnections: undefined,
  backup: false,
  state: 'ready',
  perAddress: false,
} as const;
/** Level of a `backup`: behind every priority that SRV records may have given the others. */
const backupLevel = 1000;

/** Parses the servers of each upstream. */
export function compileUpstreams(
  upstreams: ParsedConfig['upstreams'],
  diagnosis: Diagnosis,
): Record<string, UpstreamConfig> {
  const compiled = Object.entries(upstreams).map(([name, upstream]) => {
    const path = ['upstreams', name];
    const { servers, discovered, written } = compileServers(name, upstream, diagnosis);
    const tls = compileUpstreamTls(upstream.tls, written, path, diagnosis);
    const resolver = compileResolver(upstream.resolver, [...path, 'resolver'], diagnosis);
    checkSticky(name, upstream, diagnosis);
    const health = upstream.health && compileHealth(upstream.health, servers, [...path, 'health'], diagnosis);
    const passiveHealth = compilePassiveHealth(upstream.passiveHealth, [...path, 'passiveHealth'], diagnosis);
    const directives = compileDirectives(upstream.directives, [...path, 'directives'], diagnosis);
    const { tls: _, ...rest } = upstream;
    const shared = { resolver, health, passiveHealth, directives, ...(tls === undefined ? {} : { tls }) };
    return [name, { ...rest, name, servers, discovered, ...shared }] as const;
  });
  return Object.fromEntries(compiled);
}

type ParsedUpstream = ParsedConfig['upstreams'][string];

interface CompiledServers extends Pick<UpstreamConfig, 'servers' | 'discovered'> {
  readonly written: readonly WrittenServer[];
}

function compileServers(
  upstream: string,
  { servers, resolver }: Pick<ParsedUpstream, 'servers' | 'resolver'>,
  diagnosis: Diagnosis,
): CompiledServers {
  const compiled: ServerConfig[] = [];
  const discovered: DiscoveryConfig[] = [];
  const written: WrittenServer[] = [];
  const interval = resolver.serviceInterval;
  for (const [index, entry] of servers.entries()) {
    const given = typeof entry === 'string' ? { ...plainServer, url: entry } : entry;
    const { url, backup, perAddress, ...rest } = given;
    const path = ['upstreams', upstream, 'servers', index, ...(typeof entry === 'string' ? [] : ['url'])];
    const checked = parseServerUrl(url, diagnosis.absolute('.'));
    if ('mistake' in checked) {
      diagnosis.report(path, checked.mistake);
      continue;
    }
    const { name, address, scheme } = checked.value;
    written.push({ url, scheme, address, path });
    const template = { ...rest, level: backup ? backupLevel : 0 };
    if ([...compiled, ...discovered].some((other) => other.name === name)) {
      const message = `the server ${quote(name)} is there twice`;
      const allowed = 'each server once, with a weight for a larger share';
      diagnosis.report(path, { message, found: quote(url), allowed });
    } else if (perAddress && !('host' in address && isIP(address.host) === 0)) {
      const message = `${quote(name)} is no host name, whose addresses could be servers`;
      diagnosis.report([...path.slice(0, -1), 'perAddress'], { message, found: 'true', allowed: 'false' });
    } else if ('service' in address) {
      discovered.push({ name, source: address, interval, template });
    } else if (perAddress && 'host' in address) {
      const foundBy = scheme === 'http' ? {} : { foundBy: address.host };
      discovered.push({ name, source: address, interval, template: { ...template, ...foundBy } });
    } else {
      compiled.push({ ...template, name, address });
    }
  }
  return { servers: compiled, discovered, written };
}

/** Name servers as node:dns takes them. */
function compileResolver(
  resolver: ParsedUpstream['resolver'],
  path: KeyPath,
  diagnosis: Diagnosis,
): ParsedUpstream['resolver'] {
  for (const [index, server] of (resolver.servers ?? []).entries()) {
    const parts = splitHostPort(server);
    const host = parts?.host ?? server;
    const port = Number(parts?.port ?? 53);
    if (isIP(host) !== 0 && port >= 1 && port <= 65_535) continue;
    const message = `wrong name server ${quote(server)}`;
    const allowed = 'an address such as 10.0.0.2, 10.0.0.2:5353 or [2001:db8::1]:53';
    diagnosis.report([...path, 'servers', index], { message, found: quote(server), allowed });
  }
  return resolver;
}

function checkSticky(name: string, { sticky }: ParsedUpstream, diagnosis: Diagnosis): void {
  if (sticky?.sameSite !== 'none' || sticky.secure !== false) return;
  const message = 'browsers refuse a cookie with SameSite=None that is not Secure';
  const path = ['upstreams', name, 'sticky', 'secure'];
  diagnosis.report(path, { message, found: 'false', allowed: 'true or auto, or another sameSite' });
}

type Directives = UpstreamConfig['directives'];

/** Makes the folder for X-Sendfile absolute and checks that it is there. */
function compileDirectives(directives: Directives, path: KeyPath, diagnosis: Diagnosis): Directives {
  if (directives.sendfile === undefined) return directives;
  const sendfile = diagnosis.absolute(directives.sendfile);
  const mistake = folderMistake(sendfile);
  if (mistake) diagnosis.report([...path, 'sendfile'], mistake);
  return { ...directives, sendfile };
}
