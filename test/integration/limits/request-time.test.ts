import assert from 'node:assert/strict';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { EngineFactory } from '../../../src/listener/engine.ts';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { httpGet } from '../../support/http-get.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { SharedCapacity } from '../../support/shared-capacity.ts';
import { waitFor } from '../../support/wait-for.ts';

const engines: Readonly<Record<string, EngineFactory>> = { uws: createUwsEngine, node: createNodeEngine };

/** An application that never comes to an end, but for /quick. */
async function start(t: TestContext, engine: EngineFactory) {
  const seen = { closed: 0 };
  const origin = createServer((incoming, response) => {
    if (incoming.url === '/quick') return void response.end('quick');
    response.on('close', () => (seen.closed += 1));
    if (incoming.url === '/begun') response.write('begun');
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const yaml = `timeouts: { request: 1s }
upstreams: { app: { servers: ["127.0.0.1:${(origin.address() as AddressInfo).port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app, buffering: { response: false } } }] }]
`;
  const worker: InProcessWorker = await startInProcessWorker(yaml, undefined, new SharedCapacity(), undefined, engine);
  t.after(() => worker.close());
  return { worker, seen };
}

for (const [name, engine] of Object.entries(engines)) {
  describe(`timeouts.request on the ${name} engine`, () => {
    for (const path of ['/never', '/begun']) {
      test(`cuts a request that takes longer, for the application as well: ${path}`, async (t) => {
        const { worker, seen } = await start(t, engine);
        await assert.rejects(httpGet(worker.port, path));
        await waitFor(() => seen.closed === 1, 'the application to hear of it');
        assert.ok(worker.log.some((line) => line.includes('timeouts.request')));
        assert.equal((await httpGet(worker.port, '/quick')).body, 'quick');
      });
    }

    test('leaves connections alone whose requests are quick', async (t) => {
      const { worker } = await start(t, engine);
      const startedAt = performance.now();
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      const ports = new Set<number>();
      while (performance.now() - startedAt < 2500) ports.add((await httpGet(worker.port, '/quick', agent)).localPort);
      assert.equal(ports.size, 1);
      assert.ok(!worker.log.some((line) => line.includes('timeouts.request')));
    });
  });
}
