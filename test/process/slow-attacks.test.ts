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
  describe(`${connections} slow connections to the engine ${engine}`, { skip }, () => {
    for (const kind of slowAttackKinds) {
      test(`of the kind ${kind} are cut off, and everybody else is served`, async (t) => {
        const portico = await start(t, engine);
        const url = `http://127.0.0.1:${portico.port}${urls[kind]}`;
        const visitors = new QuickVisitors(portico.port, pages);
        const attack = new SlowAttack(kind, { url, connections, seconds: 60, folder: portico.folder });
        t.after(() => attack.stop());
        const { cutOff, secondsUnavailable, seconds } = await attack.result();
        const { taken, failures } = await visitors.stop();
        t.diagnostic(`gone after ${seconds} s; ${taken.length} requests of others meanwhile`);
        assert.deepEqual(failures, []);
        assert.ok(taken.length > 0);
        assert.equal(secondsUnavailable, 0);
        assert.ok(cutOff, 'some were never cut off');
        const open = async (): Promise<number> =>
          (await portico.status()).workers.reduce((sum, { connections: count }) => sum + count, 0);
        await waitFor(async () => (await open()) === 0, 'every connection to be gone');
      });
    }
  });
}
