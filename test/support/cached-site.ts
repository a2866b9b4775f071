import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from './in-process-worker.ts';
import type { SharedCache } from './shared-cache.ts';

/** What an application answers; without `end` the test ends the response itself. */
export type Application = (request: IncomingMessage, response: ServerResponse) => void;

/** A response as a client sees it. */
export interface CachedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** The value of Cache-Status; '' without one. */
  readonly cache: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly onData?: (chunk: Buffer) => void;
  /** Which worker is asked, from 0. */
  readonly worker?: number;
}

/** An application behind a worker with a cache, all in the process of the test. */
export class CachedSite {
  /** Requests that reached the application. */
  readonly requests: IncomingMessage[] = [];
  /** One, or as many as share a cache on disk. */
  readonly workers: readonly InProcessWorker[];
  private readonly upstreamPort: number;

  private constructor(workers: readonly InProcessWorker[], upstreamPort: number, requests: IncomingMessage[]) {
    this.workers = workers;
    this.upstreamPort = upstreamPort;
    this.requests = requests;
  }

  /**
   * @param rules what `cache` says, as YAML flow
   * @param route further keys of the route, as YAML flow
   * @param zone  further keys of the zone, as YAML flow
   */
  static async start(
    t: TestContext,
    application: Application,
    rules = 'true',
    {
      route = '',
      top = '',
      zone = '',
      cache,
    }: { route?: string; top?: string; zone?: string; cache?: SharedCache } = {},
  ): Promise<CachedSite> {
    const requests: IncomingMessage[] = [];
    const server = createServer((incoming, response) => {
      requests.push(incoming);
      application(incoming, response);
    });
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    t.after(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const yaml = CachedSite.yaml(port, rules, route, top, cache?.directory, zone);
    const workers: InProcessWorker[] = [];
    for (let count = 0; count < (cache === undefined ? 1 : 2); count++) {
      const worker = await startInProcessWorker(yaml, undefined, undefined, cache);
      t.after(() => worker.close());
      workers.push(worker);
    }
    return new CachedSite(workers, port, requests);
  }

  /** Takes other rules. */
  async reload(rules: string, route = ''): Promise<void> {
    const answer = await this.workers[0]?.reload(CachedSite.yaml(this.upstreamPort, rules, route, '', undefined));
    if (answer?.type !== 'configured') throw new Error(JSON.stringify(answer));
  }

  /** One request over a connection of its own. Rejects when the response is cut. */
  ask(path: string, options: AskOptions = {}): Promise<CachedAnswer> {
    return askCached(this.workers[options.worker ?? 0]?.port ?? 0, path, options);
  }

  /** Requests that the workers have not answered. */
  inFlight(): number {
    return this.workers.reduce((sum, worker) => sum + worker.inFlight(), 0);
  }

  private static yaml(
    port: number,
    rules: string,
    route: string,
    top: string,
    directory: string | undefined,
    zone = '',
  ): string {
    return `workers: ${directory === undefined ? 1 : 2}
caches: { default: { directory: ${directory ?? 'false'}${zone === '' ? '' : `, ${zone}`} } }
upstreams: { app: { servers: ['127.0.0.1:${port}'], waitForUpstream: 0s } }
${top}
sites:
  - routes:
      - { path: /, proxy: { upstream: app }, cache: ${rules}${route === '' ? '' : `, ${route}`} }
`;
  }
}

/** One request to a port of this machine, over a connection of its own. */
export function askCached(port: number, path: string, options: AskOptions = {}): Promise<CachedAnswer> {
  const { method = 'GET', body, signal } = options;
  // The same for all workers of a test, whose ports differ.
  const headers = { host: 'site.example', ...options.headers };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false, timeout: 20_000, ...(signal && { signal }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          options.onData?.(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          if (!response.complete) return reject(new Error('the response was cut'));
          const { statusCode: status = 0, headers: fields } = response;
          const whole = Buffer.concat(chunks);
          const cache = String(fields['cache-status'] ?? '');
          resolve({ status, headers: fields, body: whole, text: whole.toString(), cache });
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
