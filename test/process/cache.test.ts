import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type AskOptions, askCached, type CachedAnswer } from '../support/cached-site.ts';
import { connectionOwner } from '../support/connection-owner.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { waitFor } from '../support/wait-for.ts';

const minute = { 'cache-control': 'max-age=60' };

interface Site {
  readonly portico: RunningPortico;
  readonly requests: IncomingMessage[];
  ask(path: string, options?: AskOptions): Promise<CachedAnswer>;
  /** Requests that the workers have not answered. */
  inFlight(): Promise<number>;
}

async function start(
  t: TestContext,
  application: (request: IncomingMessage, response: ServerResponse) => void,
  rules = 'true',
): Promise<Site> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    application(request, response);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const portico = await RunningPortico.start(
    t,
    `accessLog: false
caches: { default: { directory: ./cache } }
upstreams: { app: { servers: ['127.0.0.1:${(server.address() as AddressInfo).port}'] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: ${rules} }] }]
`,
  );
  return {
    portico,
    requests,
    ask: (path, options) => askCached(portico.port, path, options),
    inFlight: () => portico.metric('portico_http_requests_in_flight'),
  };
}

describe('a cache over two workers', () => {
  test('asks the application once for what a thousand clients want at once', async (t) => {
    const waiting: ServerResponse[] = [];
    const site = await start(t, (_request, response) => waiting.push(response));
    // As many as there may be descriptors for, where that is fewer: a container may have 1,024 of them.
    const answers = Array.from({ length: Math.min(1000, descriptorLimit() - 200) }, () => site.ask('/'));
    await waitFor(async () => (await site.inFlight()) === answers.length, 'all requests');
    waiting[0]?.writeHead(200, minute).end('hello');
    for (const answer of await Promise.all(answers)) assert.equal(answer.text, 'hello');
    assert.equal(site.requests.length, 1);
  });

  test('lets all of them go at once when the answer cannot be stored', async (t) => {
    const waiting: ServerResponse[] = [];
    const site = await start(t, (_request, response) => waiting.push(response));
    const answers = Array.from({ length: 300 }, () => site.ask('/'));
    await waitFor(async () => (await site.inFlight()) === answers.length, 'all requests');
    waiting[0]?.writeHead(200, { 'cache-control': 'private' }).end('hello');
    await waitFor(() => waiting.length === 300, 'all others, none of which was answered');
    for (const response of waiting.slice(1)) response.writeHead(200, { 'cache-control': 'private' }).end('hello');
    for (const answer of await Promise.all(answers)) assert.equal(answer.text, 'hello');
  });

  test('finds everything again after a restart of the workers', async (t) => {
    const site = await start(t, (_request, response) => response.writeHead(200, minute).end('hello'));
    await site.ask('/');
    const folder = join(site.portico.folder, 'cache');
    const isStored = (): boolean =>
      readdirSync(folder, { recursive: true }).some((name) => /[0-9a-f]{30}$/.test(String(name)));
    await waitFor(isStored, 'the file');
    const asked = site.requests.length;
    for (const pid of site.portico.process.workerPids()) process.kill(pid, 'SIGKILL');
    await waitFor(
      () =>
        site.ask('/').then(
          ({ cache }) => cache.includes('hit'),
          () => false,
        ),
      'a hit of a new worker',
    );
    assert.equal(site.requests.length, asked);
  });

  test('goes on when the worker that fetches is killed', async (t) => {
    const waiting: { readonly response: ServerResponse; readonly port: number }[] = [];
    const site = await start(
      t,
      (request, response) => {
        waiting.push({ response, port: request.socket.remotePort ?? 0 });
      },
      '{ collapse: 60s }',
    );
    const answers = Array.from({ length: 40 }, () => site.ask('/').catch(() => undefined));
    await waitFor(() => waiting.length === 1, 'the request');
    await waitFor(async () => (await site.inFlight()) === answers.length, 'all to stand in line');
    const asked = waiting.length;
    const holder = connectionOwner(site.portico.process.workerPids(), waiting.at(-1)?.port ?? 0);
    process.kill(holder, 'SIGKILL');
    await waitFor(() => waiting.length > asked, 'the turn of the other worker');
    for (const { response } of waiting.slice(asked)) response.writeHead(200, minute).end('hello');
    const served = (await Promise.all(answers)).filter((answer) => answer !== undefined);
    assert.ok(served.length > 0, 'the clients of the other worker');
    for (const answer of served) assert.equal(answer.text, 'hello');
  });

  test('gives everybody what belongs to the request, byte for byte, whatever happens at the same time', async (t) => {
    const site = await start(
      t,
      (request, response) => answerDerived(request, response),
      '{ staleIfError: 1m, staleWhileRevalidate: 1s, bypass: { query: [pass] } }',
    );
    const random = seededRandom(7);
    let asked = 0;
    const client = async (): Promise<void> => {
      while (asked++ < 1500) await askAndCompare(site, random);
    };
    await Promise.all(Array.from({ length: 24 }, client));
    assert.ok(site.requests.length < 1400, 'some came from the cache');
  });
});

/** Files and sockets that this process may have open. */
function descriptorLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Number(soft ?? 1024);
}

/** What the application says to a request is told by its target and language. */
function derivedBody(path: string, language: string): Buffer {
  const size = Number(/size=(\d+)/.exec(path)?.[1] ?? 0);
  const line = createHash('sha256').update(`${path}\n${language}`).digest('hex');
  return Buffer.alloc(size, line);
}

function answerDerived(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '';
  const language = String(request.headers['accept-language']);
  const body = derivedBody(path, language);
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 12)}"`;
  const control = {
    'cache-control': path.includes('stale') ? 'max-age=0' : path.includes('private') ? 'private' : 'max-age=1',
  };
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { ...control, etag }).end();
  if (path.includes('fail') && Math.random() < 0.2) return void request.socket.destroy();
  const length = path.includes('chunked') ? {} : { 'content-length': body.length };
  response.writeHead(200, { ...control, ...length, etag, vary: 'Accept-Language' });
  if (request.method === 'HEAD') return void response.end();
  const half = Math.floor(body.length / 2);
  response.write(body.subarray(0, half));
  setImmediate(() => response.end(body.subarray(half)));
}

async function askAndCompare(site: Site, random: () => number): Promise<void> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const path = `/${pick(['a', 'b', 'stale', 'private', 'chunked', 'fail'])}?size=${pick([0, 10, 3000, 70_000, 400_000])}`;
  const language = pick(['de', 'en', 'fr']);
  const method = pick(['GET', 'GET', 'GET', 'HEAD']);
  const range = random() < 0.2 ? { range: 'bytes=5-1004' } : {};
  const leaving = random() < 0.1 ? AbortSignal.timeout(3) : undefined;
  const options = { method, headers: { 'accept-language': language, ...range }, ...(leaving && { signal: leaving }) };
  const answer = await site.ask(path, options).catch((error: unknown) => {
    if (leaving !== undefined || path.includes('fail')) return undefined;
    throw error;
  });
  if (answer === undefined || answer.status === 502) return;
  const whole = derivedBody(path, language);
  if (answer.status === 416) return assert.ok(whole.length <= 5);
  const expected = answer.status === 206 ? whole.subarray(5, 1005) : whole;
  if (method === 'HEAD') return assert.equal(answer.body.length, 0);
  assert.ok(answer.body.equals(expected), `${path} ${language} ${answer.status}: ${answer.cache}`);
}
