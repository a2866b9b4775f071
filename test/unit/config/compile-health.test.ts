import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { UpstreamConfig } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { formatProblems } from '../../../src/config/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'portico-health-config-'));
after(() => rmSync(folder, { recursive: true }));

async function upstreamOf(keys: string): Promise<UpstreamConfig> {
  const path = join(folder, 'portico.yaml');
  writeFileSync(
    path,
    `upstreams: { app: { servers: ['127.0.0.1:8000']${keys} } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`,
  );
  const loaded = await loadConfig({ kind: 'file', path }, {});
  if (!loaded.ok) assert.fail(formatProblems(loaded.problems, { colour: false }));
  const upstream = loaded.config.upstreams['app'];
  assert.ok(upstream);
  return upstream;
}

test('without a word about it nothing is checked, and requests are watched', async () => {
  const { health, passiveHealth } = await upstreamOf('');
  assert.equal(health, undefined);
  assert.deepEqual(passiveHealth, {
    consecutiveFailures: 5,
    errorRate: 50,
    minRequests: 20,
    window: 10_000,
    ejectionTime: 1000,
    maxEjectionTime: 30_000,
    maxEjected: 50,
    status: [],
  });
  assert.equal((await upstreamOf(', passiveHealth: false')).passiveHealth, false);
});

test('an empty mapping asks for / every two seconds and takes statuses from 200 to 399', async () => {
  assert.deepEqual((await upstreamOf(', health: {}')).health, {
    interval: 2000,
    timeout: 1000,
    rise: 2,
    fall: 3,
    jitter: 10,
    startAs: 'up',
    check: { kind: 'http', method: 'GET', path: '/', headers: {}, status: [[200, 399]] },
  });
});

test('a check may only connect, at a port of its own', async () => {
  const { health } = await upstreamOf(', health: { tcp: true, port: 8001 }');
  assert.deepEqual([health?.check, health?.port], [{ kind: 'tcp' }, 8001]);
});

test('statuses are numbers, ranges or lists of these; bodies a text or an expression', async () => {
  const cases: [string, unknown][] = [
    ['status: 204', [[204, 204]]],
    ['status: 200-204', [[200, 204]]],
    [
      "status: [200, '301', 400-499]",
      [
        [200, 200],
        [301, 301],
        [400, 499],
      ],
    ],
  ];
  for (const [keys, expected] of cases) {
    const { health } = await upstreamOf(`, health: { ${keys} }`);
    assert.deepEqual(health?.check.kind === 'http' && health.check.status, expected);
  }
  const text = (await upstreamOf(', health: { body: ready }')).health?.check;
  assert.deepEqual(text?.kind === 'http' && text.body, { text: 'ready' });
  const expression = (await upstreamOf(", health: { body: { matches: '^ready$' } }")).health?.check;
  assert.deepEqual(expression?.kind === 'http' && expression.body, { matches: '^ready$' });
});
