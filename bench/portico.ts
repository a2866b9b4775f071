import { ChildServer } from './child-server.ts';
import type { Contender } from './contender.ts';
import { freePort } from './free-port.ts';
import { siteHost, type Variant } from './variant.ts';

/** Portico itself, as `program` (its built main.js) under `node`. */
export function portico(node: string, program: string): Contender {
  return {
    name: 'portico',
    title: 'Portico',
    servesFiles: true,
    warmsUp: true,
    forks: true,
    version: { command: node, args: [program, 'version'], pattern: /([\s\S]*)/ },
    start: async (folder, upstream, variant = {}, hear) => {
      const port = await freePort();
      const configuration = folder.writeConfiguration('portico.yaml', {
        PORT: port,
        ADMIN_PORT: await freePort(),
        WORKERS: variant.workers ?? 1,
        ACCESS_LOG: variant.accessLog ? `{ path: "${folder.logPath('portico')}" }` : 'false',
        FILE_CACHE: variant.cachedFiles === undefined ? '64MB' : '1GB',
        IDLE_UPSTREAM_CONNECTIONS: variant.idleUpstreamConnections ?? 64,
        SITES: sitesOf(variant, folder.files),
        UPSTREAM_PORT: upstream.port,
        UPSTREAM_SOCKET: upstream.socketPath,
      });
      return ChildServer.start({
        name: 'Portico',
        command: node,
        args: [...(variant.nodeOptions ?? []), program, 'serve', '-c', configuration],
        port,
        ...(hear && { hear }),
      });
    },
  };
}

/** JSON, which is YAML too. */
function sitesOf({ routing }: Variant, files: string): string {
  const common = [
    { path: '/', static: { root: files } },
    { path: '/tcp/', proxy: { upstream: 'tcp' } },
    { path: '/unix/', proxy: { upstream: 'unix' } },
  ];
  if (routing === undefined) return JSON.stringify([{ routes: common }]);
  const sites = Array.from({ length: routing.hosts }, (_, host) => ({
    hosts: [siteHost(host)],
    routes: Array.from({ length: routing.routesPerHost }, (_, route) => [
      { path: `/tcp/${route}/`, proxy: { upstream: 'tcp' } },
      { path: `/files/${route}/`, static: { root: files } },
    ]).flat(),
  }));
  // What asks whether the server is up names no host.
  return JSON.stringify([{ routes: common }, ...sites]);
}

/** One request for every route of one kind of a configuration with many. */
export function routedTargets(routing: NonNullable<Variant['routing']>, kind: 'tcp' | 'files'): string[] {
  const file = kind === 'tcp' ? '128' : '1k.html';
  const targets: string[] = [];
  // Neighbouring requests are for different hosts.
  for (let route = 0; route < routing.routesPerHost; route++) {
    for (let host = 0; host < routing.hosts; host++) targets.push(`${siteHost(host)} /${kind}/${route}/${file}`);
  }
  return targets;
}
