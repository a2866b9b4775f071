import assert from 'node:assert/strict';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { RunningPortico } from '../support/running-portico.ts';

const hosts = 1000;
const routesPerHost = 10;

function siteOf(port: number, status: number): string {
  const sites = Array.from({ length: hosts }, (_, host) => ({
    hosts: [`host-${host}.test`],
    routes: Array.from({ length: routesPerHost }, (__, route) => ({
      path: `/route-${route}/`,
      proxy: { upstream: 'app' },
    })),
  }));
  const last = { routes: [{ path: '/', respond: { status } }] };
  const config = { accessLog: false, upstreams: { app: { servers: [`127.0.0.1:${port}`] } }, sites: [...sites, last] };
  // JSON is YAML, key by key.
  return Object.entries(config)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}

function ask(port: number, host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, headers: { host }, agent: false, timeout: 20_000 });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.on('response', (response) => void text(response).then(resolve, reject));
  });
}

test(`workers with ${hosts * routesPerHost} proxied routes start, and take another configuration, before they are given up`, async (t) => {
  const origin = createServer((request, response) => response.end(`${request.headers.host}${request.url}`));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const { port } = origin.address() as AddressInfo;
  const portico = await RunningPortico.start(t, siteOf(port, 404));
  const pids = portico.process.workerPids();
  const askAround = async (): Promise<void> => {
    for (const host of [0, hosts / 2, hosts - 1]) {
      const [name, path] = [`host-${host}.test`, `/route-${host % routesPerHost}/page`];
      assert.equal(await ask(portico.port, name, path), name + path);
    }
  };
  await askAround();
  await portico.rewrite(siteOf(port, 403));
  assert.equal(await portico.reload(), 'success');
  await askAround();
  assert.equal((await portico.get('/')).status, 403);
  // None was replaced, as one would be that does not start or answer in time.
  assert.deepEqual(portico.process.workerPids(), pids);
  assert.equal(await portico.metric('portico_worker_restarts_total'), 0);
  assert.doesNotMatch(portico.process.output.err, /in time/);
});
