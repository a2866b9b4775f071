import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'portico-upgrade-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The engine that a listener gets, or what is wrong. */
async function engineFor(listener: string | object, upgrade: object | false): Promise<string | undefined> {
  const path = join(folder, 'portico.json');
  const routes = [{ path: '/', proxy: { upstream: 'app', upgrade } }];
  const upstreams = { app: { servers: ['127.0.0.1:8000'] } };
  writeFileSync(path, JSON.stringify({ listen: [listener], upstreams, sites: [{ routes }] }));
  const loaded = await loadConfig({ kind: 'file', path }, {});
  return loaded.ok ? loaded.config.listen[0]?.engine : JSON.stringify(loaded.problems);
}

const tcp = { protocols: ['tcp'] };
const address = '127.0.0.1:8080';

test('a route that passes other protocols on has every listener served by the engine that can', async () => {
  assert.equal(await engineFor(address, tcp), 'node');
  assert.equal(await engineFor({ address }, tcp), 'node');
  assert.equal(await engineFor({ address, engine: 'node' }, tcp), 'node');
  assert.match((await engineFor({ address, engine: 'uws' }, tcp)) ?? '', /sites\[0\]\.routes\[0\]\.proxy\.upgrade/);
});

test('without such a route the listeners are what they were', async () => {
  assert.equal(await engineFor(address, false), undefined);
  assert.equal(await engineFor({ address }, false), 'auto');
  assert.equal(await engineFor({ address, engine: 'uws' }, false), 'uws');
});

for (const protocol of [
  'h2',
  'h2c',
  'H2C',
  'h2c-14',
  'h3',
  'http',
  'HTTP/1.1',
  'http/2.0',
  'https',
  'tls/1.2',
  'TLS',
  'ssl',
  'websocket',
  'WebSocket/13',
]) {
  test(`${protocol} is never passed on`, async () => {
    assert.match((await engineFor(address, { protocols: [protocol] })) ?? '', /cannot be passed on/);
  });
}

for (const protocol of ['tcp', 'SPDY/3.1', 'connect-udp', 'http-like', 'tlsx', 'h2o']) {
  test(`${protocol} may be passed on`, async () => {
    assert.equal(await engineFor(address, { protocols: [protocol] }), 'node');
  });
}
