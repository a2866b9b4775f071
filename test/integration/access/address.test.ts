import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';

const yaml = `
trustedProxies: [127.0.0.1]
sites:
  - access: { allow: [192.0.2.0/24, "2001:db8::/32"], deny: [192.0.2.66] }
    routes:
      - { path: /, respond: { body: in } }
      - { path: /open, access: { deny: [203.0.113.0/24] }, respond: { body: open } }
`;

async function statusFrom(worker: InProcessWorker, path: string, address: string): Promise<number> {
  const response = await fetch(`${worker.origin}${path}`, { headers: { 'X-Forwarded-For': address } });
  await response.text();
  return response.status;
}

describe('access by address', () => {
  test('goes by the address that the trusted proxy tells, and by the rules of the route before those of the site', async (t) => {
    const worker = await startInProcessWorker(yaml);
    t.after(() => worker.close());
    assert.equal(await statusFrom(worker, '/', '192.0.2.1'), 200);
    assert.equal(await statusFrom(worker, '/', '2001:db8::1'), 200);
    assert.equal(await statusFrom(worker, '/', '192.0.2.66'), 403);
    assert.equal(await statusFrom(worker, '/', '198.51.100.1'), 403);
    assert.equal(await statusFrom(worker, '/open', '198.51.100.1'), 200);
    assert.equal(await statusFrom(worker, '/open', '203.0.113.9'), 403);
  });

  test('does not believe a peer that nobody trusts', async (t) => {
    const worker = await startInProcessWorker(yaml.replace('trustedProxies: [127.0.0.1]', ''));
    t.after(() => worker.close());
    assert.equal(await statusFrom(worker, '/', '192.0.2.1'), 403);
  });

  test('takes other rules at a reload', async (t) => {
    const worker = await startInProcessWorker(yaml);
    t.after(() => worker.close());
    assert.equal(await statusFrom(worker, '/', '192.0.2.1'), 200);
    await worker.reload(yaml.replace('allow: [192.0.2.0/24', 'allow: [198.51.100.0/24'));
    assert.equal(await statusFrom(worker, '/', '192.0.2.1'), 403);
    assert.equal(await statusFrom(worker, '/', '198.51.100.1'), 200);
  });
});

describe('a request that is refused by its address', () => {
  test('never reaches the application, and says why', async (t) => {
    const origin = await ScriptedOrigin.start(() => assert.fail('asked'));
    t.after(() => origin.close());
    const worker = await startInProcessWorker(`
upstreams: { app: { servers: ["127.0.0.1:${origin.port}"] } }
sites:
  - routes: [{ path: /, access: { allow: [10.0.0.0/8] }, proxy: { upstream: app } }]
`);
    t.after(() => worker.close());
    const response = await fetch(worker.origin, { method: 'POST', body: 'x'.repeat(100_000) });
    assert.equal(response.status, 403);
    assert.match(await response.text(), /access_denied/);
    assert.equal(origin.requests.length, 0);
  });
});
