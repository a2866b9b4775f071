import { type InProcessWorker, startInProcessWorker } from './in-process-worker.ts';
import { secureOrigins } from './secure-origins.ts';

/** A worker whose only site passes everything on to some servers. @param proxy further keys of the route's `proxy`, as YAML flow */
export function startProxyWorker(servers: readonly string[], proxy = '', upstream = ''): Promise<InProcessWorker> {
  return startInProcessWorker(proxyYaml(servers, proxy, upstream));
}

/** @param proxy further keys of the route's `proxy`, as YAML flow: `webSocket: false` */
export function proxyYaml(servers: readonly string[], proxy = '', upstream = ''): string {
  const { configuration: tls } = secureOrigins;
  return [
    'upstreams:',
    '  app:',
    `    servers: ${JSON.stringify(tls === undefined ? servers : servers.map(secured))}`,
    ...(tls === undefined ? [] : [`    tls: ${JSON.stringify(tls)}`]),
    ...(upstream === '' ? [] : [`    ${upstream}`]),
    'sites:',
    '  - routes:',
    '      - path: /fixed',
    '        respond: { body: fixed }',
    '      - path: /',
    `        proxy: { upstream: app${proxy === '' ? '' : `, ${proxy}`} }`,
    '',
  ].join('\n');
}

function secured(server: string): string {
  return server.startsWith('unix:') ? server : `https://${server}`;
}
