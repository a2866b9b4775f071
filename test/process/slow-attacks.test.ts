import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { QuickVisitors } from '../support/quick-visitors.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { ScriptedOrigin } from '../support/scripted-origin.ts';
import { SlowAttack, type SlowAttackKind, slowAttackKinds, slowHttpTestMissing } from '../support/slow-attack.ts';
import { waitFor } from '../support/wait-for.ts';

/* A short form of `npm run slow-attacks`. */

const skip = slowHttpTestMissing() ?? false;
const connections = 200;
/** Visitors, and the request that the attack makes beside. */
const othersAtMost = 8;
const pages = { '/small.txt': 'a small file', '/app': 'the application' };

async function start(t: TestContext, engine: 'uws' | 'node'): Promise<RunningPortico> {
  const www = mkdtempSync(join(tmpdir(), 'portico-slow-attacks-'));
  t.after(() => rmSync(www, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(join(www, 'files'));
  writeFileSync(join(www, 'files', 'small.txt'), pages['/small.txt']);
  writeFileSync(join(www, 'files', 'large.bin'), Buffer.alloc(8 * 1024 ** 2, 'x'));
  const body = pages['/app'];
  const origin = await ScriptedOrigin.answering(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  t.after(() => origin.close());
  const yaml = `accessLog: false
timeouts: { requestHead: 2s, requestBody: 4s, send: 5s, keepAlive: 2s }
limits: { minBodyRateGrace: 3s }
upstreams: { app: { servers: ["http://127.0.0.1:${origin.port}"] } }
sites:
  - routes:
      - { path: /app, proxy: { upstream: app } }
      - { path: /, static: { root: ${join(www, 'files')} } }
`;
  return RunningPortico.start(t, yaml, { engine });
}

const urls: Readonly<Record<SlowAttackKind, string>> = {
  headers: '/app',
  body: '/app',
  read: '/large.bin',
  range: '/large.bin',
};

for (const engine of ['uws', 'node'] as const) {
  // Each against a Portico of its own, all at once: they wait for most of their time.
  describe(`${connections} slow connections to the engine ${engine}`, { skip, concurrency: true }, () => {
    for (const kind of slowAttackKinds) {
      test(`of the kind ${kind} are cut off, and everybody else is served`, async (t) => {
        const portico = await start(t, engine);
        const url = `http://127.0.0.1:${portico.port}${urls[kind]}`;
        const visitors = new QuickVisitors(portico.port, pages);
        const attack = new SlowAttack(kind, { url, connections, seconds: 60, folder: portico.folder });
        t.after(() => attack.stop());
        let most = 0;
        const open = async (): Promise<number> => {
          const { workers } = await portico.status();
          return workers.reduce((sum, { connections: count }) => sum + count, 0);
        };
        await waitFor(async () => {
          const count = await open();
          most = Math.max(most, count);
          return !attack.running || most > connections / 2;
        }, 'the attack to have begun');
        await waitFor(async () => (await open()) <= othersAtMost, 'the connections to be cut off', 50_000);
        const { mostConnected } = await attack.result();
        const { taken, failures } = await visitors.stop();
        t.diagnostic(`${Math.max(most, mostConnected)} connections; ${taken.length} requests of others meanwhile`);
        assert.deepEqual(failures, []);
        assert.ok(taken.length > 0);
        // Ranges are answered at once; the others hold on.
        if (kind !== 'range') assert.ok(most > connections / 2, `${most} connections`);
      });
    }
  });
}
