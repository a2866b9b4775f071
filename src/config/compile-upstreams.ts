import { compileHealth, compilePassiveHealth } from './compile-health.ts';
import type { ServerConfig, UpstreamConfig } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { folderMistake } from './file-check.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { parseServerUrl } from './server-url.ts';

/** What a server is that is given by its URL alone. */
const plainServer = { weight: 1, maxConnections: undefined, backup: false, state: 'ready' } as const;

/** Parses the servers of each upstream. */
export function compileUpstreams(
  upstreams: ParsedConfig['upstreams'],
  diagnosis: Diagnosis,
): Record<string, UpstreamConfig> {
  const compiled = Object.entries(upstreams).map(([name, upstream]) => {
    const path = ['upstreams', name];
    const servers = compileServers(name, upstream.servers, diagnosis);
    const health = upstream.health && compileHealth(upstream.health, servers, [...path, 'health'], diagnosis);
    const passiveHealth = compilePassiveHealth(upstream.passiveHealth, [...path, 'passiveHealth'], diagnosis);
    const directives = compileDirectives(upstream.directives, [...path, 'directives'], diagnosis);
    return [name, { ...upstream, name, servers, health, passiveHealth, directives }] as const;
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
    const { url, weight, maxConnections, backup, state } =
      typeof entry === 'string' ? { ...plainServer, url: entry } : entry;
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
      compiled.push({ ...checked.value, weight, maxConnections, level: backup ? 1 : 0, state });
    }
  }
  return compiled;
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
