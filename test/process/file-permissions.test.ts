import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const yaml = (port: number): string => `accessLog: { path: access.log, flushInterval: 10ms }
caches: { default: { directory: cache, memorySize: 0B } }
upstreams: { app: { servers: ["127.0.0.1:${port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: true }] }]\n`;

for (const umask of [0o000, 0o077]) {
  test(`files are for their owner alone with a umask of ${umask.toString(8).padStart(3, '0')}`, async (t) => {
    const portico = await startWith(t, umask);
    await waitFor(async () => {
      await portico.get('/page');
      return (await portico.get('/page')).headers['cache-status']?.includes('hit') === true;
    }, 'a response to be stored');
    const cache = join(portico.folder, 'cache');
    const names = readdirSync(cache, { recursive: true, encoding: 'utf8' });
    assert.ok(names.some((name) => statSync(join(cache, name)).isFile()));
    for (const path of [cache, ...names.map((name) => join(cache, name))]) {
      const stat = statSync(path);
      assert.equal(stat.mode & 0o777, stat.isDirectory() ? 0o700 : 0o600, path);
    }
    assert.equal(statSync(join(portico.folder, 'access.log')).mode & 0o777, 0o640 & ~umask);
    assert.equal(statSync(join(portico.folder, 'portico.sock')).mode & 0o777, 0o660);
  });
}

async function startWith(t: TestContext, umask: number): Promise<RunningPortico> {
  const origin = createServer((_request, response) => {
    response.setHeader('Cache-Control', 'max-age=600');
    response.end('stored');
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => origin.close());
  const { port } = origin.address() as AddressInfo;
  const former = process.umask(umask);
  try {
    return await RunningPortico.start(t, yaml(port), { moreListeners: [{ address: 'unix:./portico.sock' }] });
  } finally {
    process.umask(former);
  }
}
