import type { EngineFactory } from '../../src/listener/engine.ts';
import { createUwsEngine } from '../../src/listener/uws-engine.ts';
import { type InProcessWorker, startInProcessWorker } from './in-process-worker.ts';

/** A worker whose only site passes everything on to some servers. @param proxy further keys of the route's `proxy`, as YAML flow */
export function startProxyWorker(
  servers: readonly string[],
  proxy = '',
  upstream = '',
  engine: EngineFactory = createUwsEngine,
): Promise<InProcessWorker> {
  return startInProcessWorker(proxyYaml(servers, proxy, upstream), undefined, undefined, undefined, engine);
}

/** @param proxy further keys of the route's `proxy`, as YAML flow: `webSocket: false` */
export function proxyYaml(servers: readonly string[], proxy = '', upstream = ''): string {
  return [
    'upstreams:',
    '  app:',
    `    servers: ${JSON.stringify(servers)}`,
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
