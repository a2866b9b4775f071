import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenAddress } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import type { Exposition } from '../metrics/exposition.ts';
import { hasToken } from './admin-token.ts';
import { answerWhy } from './cache-api.ts';
import { type Control, ControlApi } from './control-api.ts';
import { adminIndexPage } from './index-page.ts';

export interface AdminServerOptions {
  readonly aggregate: { render(accept: string | undefined): Promise<Exposition> };
  /** Whether traffic should come here, and if not why: starting, stopping. */
  readonly readiness: () => Readiness;
  /** What /status shows. */
  readonly status: () => Promise<object> | object;
  /** What may be changed. Left out: nothing. */
  readonly control?: Control;
  /** What requests must have; it may change at a reload. Left out: nothing. */
  readonly token?: () => string | undefined;
  readonly logger: Logger;
}

export interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
}

/** The admin listener of the primary: /metrics, /health, /ready, /status, and what changes something. */
export interface AdminServer {
  /**
   * @returns the port, also where the address says 0
   * @throws the system's error when the address cannot be bound
   */
  listen(address: ListenAddress): Promise<number>;
  /** Stops listening and cuts every connection. It may listen again afterwards. */
  close(): Promise<void>;
}

/** A scraper that is slow, or many of them, must not cost the primary more than this. */
const maxConnections = 64;
const answerTimeoutMs = 10_000;
const headersTimeoutMs = 5_000;
const maxHeaderSize = 8 * 1024;
/** What orchestrators ask, who have no token: it tells nothing but whether requests are served. */
const openPaths: ReadonlySet<string> = new Set(['/health', '/ready']);

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Methods that there are instead. */
  readonly allow?: string;
  /** How to say who one is (RFC 9110 section 11.6.1). */
  readonly challenge?: string;
}

/** What the listener answers with: by path, and by the control requests. */
interface Endpoints {
  readonly pages: ReadonlyMap<string, Endpoint>;
  readonly control: ControlApi | undefined;
  readonly token: () => string | undefined;
  /** Whether it listens on a Unix socket. */
  readonly isUnix: () => boolean;
  readonly logger: Logger;
}

type Endpoint = (request: IncomingMessage) => Promise<Answer> | Answer;

export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { control, logger } = options;
  let server: Server | undefined;
  const endpoints: Endpoints = {
    pages: adminPages(options),
    control: control === undefined ? undefined : new ControlApi(control),
    token: options.token ?? (() => undefined),
    isUnix: () => typeof server?.address() === 'string',
    logger,
  };
  return {
    async listen(address) {
      if (server !== undefined) throw new Error('the admin server listens already');
      server = httpServer(endpoints);
      try {
        return await bind(server, address);
      } catch (error) {
        server = undefined;
        throw error;
      }
    },
    async close() {
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      await new Promise<void>((resolve) => {
        closing.close(() => resolve());
        closing.closeAllConnections();
      });
    },
  };
}

function adminPages(options: AdminServerOptions): ReadonlyMap<string, Endpoint> {
  const metrics: Endpoint = async ({ headers }) => ({
    status: 200,
    ...(await options.aggregate.render(headers.accept)),
  });
  const endpoints: [string, Endpoint][] = [
    ['/', () => ({ status: 200, contentType: 'text/html; charset=utf-8', body: adminIndexPage })],
    ['/metrics', metrics],
    // The process answers: that is all that a liveness probe should ask for, or it restarts what only waits.
    ['/health', () => json(200, { status: 'ok' })],
    ['/ready', () => readyAnswer(options.readiness())],
    ['/status', async () => json(200, await options.status())],
  ];
  const cache = options.control?.cache;
  if (cache !== undefined) {
    endpoints.push([
      '/cache/why',
      async ({ url = '' }) => {
        const { status, value } = await answerWhy(cache, url);
        return json(status, value);
      },
    ]);
  }
  return new Map(endpoints);
}

function readyAnswer({ ready, reason }: Readiness): Answer {
  return json(ready ? 200 : 503, { ready, reason });
}

function httpServer(endpoints: Endpoints): Server {
  const server = createServer(
    {
      maxHeaderSize,
      headersTimeout: headersTimeoutMs,
      requestTimeout: answerTimeoutMs,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void handle(endpoints, request, response),
  );
  server.maxConnections = maxConnections;
  server.maxRequestsPerSocket = 10_000;
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  return server;
}

function bind(server: Server, { host, port, socket }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const place = socket === undefined ? { port, ...(host === undefined ? {} : { host }) } : { path: socket.path };
    server.listen(place, () => {
      server.off('error', reject);
      // Errors of accepting (too many open files) pass; without a listener they would end the primary.
      server.on('error', () => {});
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

async function handle(endpoints: Endpoints, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Both for an answer that does not come and for a client that takes it byte by byte.
  const timer = setTimeout(() => request.socket.destroy(), answerTimeoutMs);
  response.once('close', () => clearTimeout(timer));
  // A client that goes away in the middle of its body.
  request.on('error', () => {});
  try {
    send(request, response, await answer(endpoints, request));
  } catch (error) {
    if (!request.socket.destroyed) {
      endpoints.logger.error('the admin listener cannot answer', { target: request.url, error });
    }
    send(request, response, json(500, { error: 'internal error; the log says more' }));
  }
  request.resume();
}

async function answer({ pages, control, token, isUnix, logger }: Endpoints, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const wanted = token();
  if (wanted !== undefined && !openPaths.has(path) && !hasToken(request.headers.authorization, wanted)) {
    return { ...json(401, { error: 'this takes "Authorization: Bearer TOKEN" (admin.token)' }), challenge: 'Bearer' };
  }
  const { method } = request;
  const page = pages.get(path);
  if (page !== undefined) {
    if (method === 'GET' || method === 'HEAD') return page(request);
    return json(405, { error: 'only GET and HEAD' }, 'GET, HEAD');
  }
  const action = control?.find(path);
  if (control === undefined || action === undefined) {
    return json(404, { error: 'not found', endpoints: [...pages.keys()] });
  }
  if (method !== 'POST') return json(405, { error: 'only POST' }, 'POST');
  const { status, value } = await control.answer(request, action, isUnix());
  logger.info('control request', { target: request.url, status, client: request.socket.remoteAddress });
  return json(status, value);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, contentType, body, allow, challenge }: Answer,
): void {
  if (response.headersSent) return;
  // A body that nobody reads would be taken for the next request.
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    ...(allow === undefined ? {} : { Allow: allow }),
    ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
    ...(hasBody ? { Connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function json(status: number, value: object, allow?: string): Answer {
  const body = `${JSON.stringify(value, undefined, 2)}\n`;
  return { status, contentType: 'application/json; charset=utf-8', body, ...(allow === undefined ? {} : { allow }) };
}
