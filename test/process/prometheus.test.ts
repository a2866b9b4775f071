import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ensureDebianPackage } from '../support/debian-package.ts';
import { freePort } from '../support/free-port.ts';
import { generateLoad, type LoadResult } from '../support/load-generator.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { PrometheusServer } from '../support/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';

const skip = ensureDebianPackage('prometheus', '/usr/bin/prometheus') ?? false;
const total = 'sum(portico_http_requests_total)';

let folder: string;
let portico: PorticoProcess;
let prometheus: PrometheusServer;
let port: number;
let adminPort: number;
/** What the load generator has counted so far. */
let counted = 0;

const application = createServer((request, response) => {
  response.statusCode = request.url === '/app/missing' ? 404 : 200;
  response.end('from the application');
});

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'portico-metrics-'));
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const address = application.address();
  assert.ok(address !== null && typeof address === 'object');
  port = await freePort();
  adminPort = await freePort();
  const configuration = {
    listen: [`127.0.0.1:${port}`],
    admin: { address: `127.0.0.1:${adminPort}` },
    workers: 2,
    accessLog: { format: 'json', path: join(folder, 'access.log') },
    upstreams: { app: { servers: [`http://127.0.0.1:${address.port}`] } },
    sites: [
      {
        routes: [
          { path: '/', respond: { body: 'hello' } },
          { path: '/app', proxy: { upstream: 'app' } },
        ],
      },
    ],
  };
  writeFileSync(join(folder, 'portico.yaml'), JSON.stringify(configuration));
  portico = await PorticoProcess.serve(join(folder, 'portico.yaml'), adminPort);
  prometheus = await PrometheusServer.start(`127.0.0.1:${adminPort}`);
});

after(async () => {
  await prometheus?.stop();
  await portico?.stop();
  application.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function load(goOn: (sent: number) => boolean): Promise<LoadResult> {
  const result = await generateLoad({ port, paths: ['/', '/app/page', '/app/missing'], connections: 16, goOn });
  counted += result.answered;
  return result;
}

interface Status {
  readonly workers: readonly { readonly slot: number; readonly pid: number; readonly phase: string }[];
}

/** Ends a worker by force, and gives the promise that another one serves in its place. */
async function killWorker(slot: number): Promise<() => Promise<void>> {
  const workers = async (): Promise<Status['workers']> =>
    ((await (await fetch(`http://127.0.0.1:${adminPort}/status`)).json()) as Status).workers;
  const pid = (await workers()).find((worker) => worker.slot === slot)?.pid ?? 0;
  assert.ok(pid > 1);
  process.kill(pid, 'SIGKILL');
  return () =>
    waitFor(async () => {
      const successor = (await workers()).find((worker) => worker.slot === slot);
      return successor?.pid !== pid && successor?.phase === 'ready';
    }, 'another worker');
}

/** Prometheus has what the load generator counted, to the request. */
async function assertExact(): Promise<void> {
  await waitFor(async () => (await prometheus.value(total)) >= counted, `${total} to reach ${counted}`);
  assert.equal(await prometheus.value(total), counted);
}

test('Prometheus has each request that the load generator counted, by status and route', { skip }, async () => {
  const result = await load((sent) => sent < 1500);
  assert.equal(result.failed, 0);
  await assertExact();
  for (const [status, count] of result.statuses) {
    assert.equal(await prometheus.value(`sum(portico_http_requests_total{status="${status}"})`), count);
  }
  assert.equal(await prometheus.value('sum(portico_http_requests_total{route="/"})'), 500);
  assert.equal(await prometheus.value('sum(portico_upstream_requests_total{upstream="app"})'), 1000);
  assert.equal(await prometheus.value('sum(portico_http_request_duration_seconds_count)'), counted);
  assert.equal(await prometheus.value('count(portico_worker_cpu_seconds_total)'), 2);
});

test('a worker that is killed takes no count with it, and its successor adds to them', { skip }, async () => {
  const replaced = await killWorker(0);
  await replaced();
  await waitFor(async () => (await prometheus.value('portico_worker_restarts_total')) === 1, 'the restart to show');
  assert.equal(await prometheus.value(total), counted);
  const result = await load((sent) => sent < 1500);
  assert.equal(result.failed, 0);
  await assertExact();
});

test('killed under load, a worker costs what it had not reported, and no sum ever goes back', { skip }, async () => {
  const countedBefore = counted;
  let replacement: Promise<() => Promise<void>> | undefined;
  let done = false;
  const running = load((sent) => {
    if (sent === 600) replacement ??= killWorker(1);
    return !done;
  });
  await waitFor(() => replacement !== undefined, 'the worker to be killed');
  await (await replacement)?.();
  done = true;
  const result = await running;
  // Only what was in flight in that worker: one request on each of its connections at most.
  assert.ok(result.failed <= 16, `${result.failed} failed`);
  assert.ok(result.answered > 600);

  await waitFor(async () => (await prometheus.value('portico_worker_restarts_total')) === 2, 'the restart to show');
  await waitFor(async () => (await prometheus.value('sum(portico_http_requests_in_flight)')) === 0, 'the load to end');
  const settled = await prometheus.value(total);
  assert.ok(
    settled > countedBefore && settled <= counted + result.failed,
    `${countedBefore} < ${settled} <= ${counted}`,
  );
  counted = settled;
  await load((sent) => sent < 600);
  await assertExact();
  assert.equal(await prometheus.value('sum(resets(portico_http_requests_total[10m]))'), 0);
  assert.equal(await prometheus.value('sum(resets(portico_http_request_duration_seconds_bucket[10m]))'), 0);
  assert.equal(await prometheus.value('min_over_time(up[10m])'), 1);
});

test('what a load adds over its time is what was sent, and rates agree as far as they extrapolate', {
  skip,
}, async () => {
  const added = (ms: number) =>
    `sum(max_over_time(portico_http_requests_total[${ms}ms]) - min_over_time(portico_http_requests_total[${ms}ms]))`;
  const quiet = () => waitFor(async () => (await prometheus.value(added(2000))) === 0, 'quiet');
  await quiet();
  const startedAt = Date.now();
  const { answered } = await load((sent) => sent < 900);
  await assertExact();
  await quiet();
  const range = Date.now() - startedAt + 1500;
  assert.equal(await prometheus.value(added(range)), answered);
  // `rate` stretches what it saw to the ends of its range, by some scrape intervals on a busy machine.
  const rate = await prometheus.value(`sum(rate(portico_http_requests_total[${range}ms])) * ${range / 1000}`);
  assert.ok(rate >= answered * 0.99 && rate < answered * 1.5, `${rate} of ${answered}`);
});
