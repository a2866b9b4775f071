import type { ServerConfig, UpstreamConfig } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import { parseServerUrl } from './server-url.ts';

/** Parses the servers of each upstream. */
export function compileUpstreams(
  upstreams: ParsedConfig['upstreams'],
  diagnosis: Diagnosis,
): Record<string, UpstreamConfig> {
  const compiled = Object.entries(upstreams).map(([name, upstream]) => {
    return [name, { ...upstream, name, servers: compileServers(name, upstream.servers, diagnosis) }] as const;
  });
  return Object.fromEntries(compiled);
}

function compileServers(
  upstream: string,
  servers: ParsedConfig['upstreams'][string]['servers'],
  diagnosis: Diagnosis,
): ServerConfig[] {
  const compiled: ServerConfig[] = [];
  for (const [index, entry] of servers.entries()) {
    const { url, weight } = typeof entry === 'string' ? { url: entry, weight: 1 } : entry;
    const path = ['upstreams', upstream, 'servers', index, ...(typeof entry === 'string' ? [] : ['url'])];
    const checked = parseServerUrl(url, diagnosis.absolute('.'));
    if ('mistake' in checked) {
      diagnosis.report(path, checked.mistake);
    } else if (compiled.some(({ name }) => name === checked.value.name)) {
      const message = `the server ${quote(checked.value.name)} is there twice`;
      diagnosis.report(path, {
        message,
        found: quote(url),
        allowed: 'each server once, with a weight for a larger share',
      });
    } else {
      compiled.push({ ...checked.value, weight });
    }
  }
  return compiled;
}
