import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askCached } from '../support/cached-site.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const bytes = 60_000;

/** What the application says to a path: different for each, so that a mix-up shows. */
function pageOf(path: string): string {
  return `${path} `.repeat(Math.ceil(bytes / (path.length + 1))).slice(0, bytes);
}

/** A file system of 4 MB, gone with the test; undefined where nothing may be mounted. */
function smallDisk(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'portico-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    if (process.env['CI'] !== undefined) throw error;
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test('a disk that fills up under load fails no request, and what is served is right', {
  timeout: 120_000,
}, async (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return t.skip('mounting a file system is not permitted here');
  const application = createServer((request, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=600' }).end(pageOf(request.url ?? ''));
  });
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const portico = await RunningPortico.start(
    t,
    `accessLog: false
caches: { default: { directory: ${folder}, diskSize: 64MB, memorySize: 1MB } }
upstreams: { app: { servers: ['127.0.0.1:${(application.address() as AddressInfo).port}'] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: true }] }]
`,
  );
  t.after(async () => {
    // The file system can only go when nobody writes to it any more.
    await portico.process.stop();
    application.closeAllConnections();
    application.close();
  });
  let answered = 0;
  const client = async (seed: number): Promise<void> => {
    for (let round = 0; round < 60; round++) {
      const path = `/${(seed * 7919 + round * 104_729) % 300}`;
      const answer = await askCached(portico.port, path);
      assert.equal(answer.status, 200, path);
      assert.ok(answer.text === pageOf(path), `${path} was answered with something else`);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, seed) => client(seed + 1)));
  assert.equal(answered, 16 * 60);
  await waitFor(
    async () => (await portico.metric('portico_cache_store_errors_total', '"full"')) > 0,
    'the full disk to be counted',
  );
  assert.equal(await portico.metric('portico_cache_store_errors_total', '"corrupt"'), 0);
  assert.equal(await portico.metric('portico_http_errors_total'), 0);
});
