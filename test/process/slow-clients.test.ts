import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunicornMissing } from '../support/gunicorn.ts';
import { httpGet } from '../support/http-get.ts';
import { MemoryWatch } from '../support/memory-watch.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { SlowClients, type SlowLoad } from '../support/slow-clients.ts';
import { SyncGunicorn } from '../support/sync-gunicorn.ts';
import { waitFor } from '../support/wait-for.ts';

/*
 * One Gunicorn sync worker behind Portico, and many slow clients. PORTICO_SLOW_CLIENTS=full is what docs/buffering.md
 * shows: 200 uploads and 200 downloads, and the same load straight on Gunicorn beside it. It takes about four minutes.
 */

const skip = gunicornMissing() ?? false;
const full = process.env['PORTICO_SLOW_CLIENTS'] === 'full';
const memoryLimit = 150 * 1024 ** 2;
const megabyte = 1024 ** 2;
const load: SlowLoad = full
  ? {
      uploads: 200,
      uploadBytes: megabyte,
      uploadRate: 20_000,
      downloads: 200,
      downloadBytes: 5 * megabyte,
      downloadRate: 50_000,
    }
  : {
      uploads: 20,
      uploadBytes: megabyte / 4,
      uploadRate: 80_000,
      downloads: 20,
      downloadBytes: 5 * megabyte,
      downloadRate: 1_500_000,
    };

interface Setup {
  readonly portico: RunningPortico;
  readonly spool: string;
}

async function start(t: TestContext, gunicorn: SyncGunicorn): Promise<Setup> {
  const home = mkdtempSync(join(tmpdir(), 'portico-slow-clients-'));
  t.after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  const spool = join(home, 'spool');
  mkdirSync(spool);
  const portico = await RunningPortico.start(
    t,
    `accessLog: false
spool: { directory: ${spool} }
upstreams: { app: { servers: ["http://127.0.0.1:${gunicorn.port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`,
    { workers: 1 },
  );
  return { portico, spool };
}

/** How many quick requests were begun, and the milliseconds of those answered, shortest first. */
interface QuickRequests {
  readonly begun: number;
  readonly taken: readonly number[];
}

/** One quick request after the other, as long as the clients are at it, or for so long. */
async function quickRequests(port: number, clients: SlowClients, timeoutMs: number): Promise<QuickRequests> {
  const agent = new Agent({ keepAlive: false });
  const taken: number[] = [];
  let begun = 0;
  // Those who came first would be served first.
  await delay(1000);
  const deadline = performance.now() + timeoutMs;
  while (clients.running && performance.now() < deadline) {
    const startedAt = performance.now();
    begun++;
    const answer = httpGet(port, '/', agent).then(
      ({ body }) => body === 'quick',
      () => false,
    );
    const left = new Promise<boolean>((resolve) => {
      setTimeout(resolve, deadline - startedAt, false).unref();
    });
    if (await Promise.race([answer, left])) taken.push(performance.now() - startedAt);
    await delay(50);
  }
  agent.destroy();
  return { begun, taken: taken.sort((one, other) => one - other) };
}

function report(t: TestContext, what: string, { begun, taken }: QuickRequests): void {
  const at = (share: number): string => `${(taken[Math.floor(taken.length * share)] ?? Number.NaN).toFixed(1)} ms`;
  t.diagnostic(
    `${what}: ${taken.length} of ${begun} quick requests answered, median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(0.9999)}`,
  );
}

test('a sync worker is free for quick requests while many slow clients upload and download', { skip }, async (t) => {
  const gunicorn = await SyncGunicorn.start();
  t.after(() => gunicorn.stop());
  const { portico, spool } = await start(t, gunicorn);
  const memory = new MemoryWatch(() => portico.process.workerPids());
  const clients = new SlowClients(portico.port, load);
  t.after(() => {
    clients.stop();
    memory.stop();
  });
  let spooled = 0;
  const watching = (async () => {
    while (clients.running) {
      spooled = Math.max(spooled, await portico.metric('portico_spool_bytes'));
      await delay(250);
    }
  })();
  const quick = await quickRequests(portico.port, clients, 300_000);
  await watching;
  report(t, 'through Portico', quick);
  t.diagnostic(`memory of the worker: ${Math.round(memory.peak / megabyte)} MB at most`);
  t.diagnostic(`in spool files: ${Math.round(spooled / megabyte)} MB at most`);
  for (const line of portico.process.output.err.split('\n').slice(2)) if (line !== '') t.diagnostic(line);
  assert.deepEqual(await clients.result(), { uploads: load.uploads, downloads: load.downloads });
  assert.ok(quick.taken.length > 20, `${quick.taken.length} quick requests were answered meanwhile`);
  assert.ok(memory.peak < memoryLimit, `${memory.peak} bytes`);
  assert.ok(spooled > 0, 'the files were in use');
  await waitFor(async () => (await portico.metric('portico_spool_bytes')) === 0, 'the spool to be empty');
  assert.equal(await portico.metric('portico_spool_files'), 0);
  assert.deepEqual(readdirSync(spool), []);
});

test('nothing is left of the spool after kill -9', { skip }, async (t) => {
  const gunicorn = await SyncGunicorn.start();
  t.after(() => gunicorn.stop());
  const { portico, spool } = await start(t, gunicorn);
  const clients = new SlowClients(portico.port, {
    ...load,
    uploads: 5,
    downloads: 5,
    uploadRate: 1000,
    downloadRate: 1000,
  });
  t.after(() => clients.stop());
  await waitFor(async () => (await portico.metric('portico_spool_bytes')) > megabyte, 'the files to be in use');
  const pids = [portico.process.pid, ...portico.process.workerPids()];
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await portico.process.ended();
  clients.stop();
  assert.deepEqual(readdirSync(spool), []);
});

test('the same load straight on the sync worker, for comparison', { skip: skip || !full }, async (t) => {
  const gunicorn = await SyncGunicorn.start();
  t.after(() => gunicorn.stop());
  const clients = new SlowClients(gunicorn.port, load);
  t.after(() => clients.stop());
  report(t, 'straight on Gunicorn, in 60 s', await quickRequests(gunicorn.port, clients, 60_000));
});
