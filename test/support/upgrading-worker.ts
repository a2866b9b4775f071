import type { EngineFactory } from '../../src/listener/engine.ts';
import { createNodeEngine } from '../../src/listener/node-engine.ts';
import type { InProcessWorker } from './in-process-worker.ts';
import { startProxyWorker } from './proxied-websockets.ts';
import { RawClient, type RawResponse } from './raw-client.ts';
import { TunnelOrigin } from './tunnel-origin.ts';

/** What serves clients: a file that tests over TLS puts its own in the place. */
export const tunnelListener: { engine: EngineFactory; isSecure: boolean } = {
  engine: createNodeEngine,
  isSecure: false,
};

/** A worker in front of one origin that speaks another protocol. @param upgrade the route's `upgrade`, as YAML flow */
export async function withTunnels(
  origin: TunnelOrigin,
  run: (worker: InProcessWorker, origin: TunnelOrigin) => Promise<void>,
  upgrade = '{ protocols: [tcp, SPDY/3.1] }',
  proxy = '',
  upstream = '',
): Promise<void> {
  const further = proxy === '' ? '' : `, ${proxy}`;
  const worker = await startProxyWorker([origin.url], `upgrade: ${upgrade}${further}`, upstream, tunnelListener.engine);
  try {
    await run(worker, origin);
  } finally {
    await worker.close();
    await origin.close();
  }
}

/** A request with these lines, `Host` besides. */
export function requestText(lines: readonly string[], requestLine = 'POST /attach HTTP/1.1', body = ''): string {
  return [requestLine, 'Host: example.com', ...lines, '', body].join('\r\n');
}

export const asksForTcp = ['Connection: Upgrade', 'Upgrade: tcp'];

/** A client that has sent such a request, and what it was answered. */
export async function upgraded(
  port: number,
  lines: readonly string[] = asksForTcp,
  requestLine?: string,
): Promise<{ client: RawClient; response: RawResponse }> {
  const client = await RawClient.connect(port);
  client.send(requestText(lines, requestLine));
  return { client, response: await client.response() };
}
