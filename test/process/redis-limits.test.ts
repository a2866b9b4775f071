import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { rateLoad } from '../support/rate-load.ts';
import { ensureRedis, RedisServer } from '../support/redis-server.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const rate = 100;
const burst = 10;
const skip = ensureRedis() ?? false;

async function startMachines(t: TestContext, redis: RedisServer, limit = `${rate}r/s`): Promise<RunningPortico[]> {
  const site = `accessLog: false
redis: { url: "${redis.url}", secret: something-shared }
rateLimits: { api: { rate: ${limit}, burst: ${burst}, shared: true } }
sites: [{ rateLimit: api, routes: [{ path: /, respond: { body: ok } }] }]
`;
  return Promise.all([1, 2].map(() => RunningPortico.start(t, site, { workers: 2 })));
}

async function startRedis(t: TestContext): Promise<RedisServer> {
  const redis = new RedisServer(await freePort());
  t.after(() => redis.kill());
  await redis.start();
  return redis;
}

/** Both machines know of Redis. */
async function areUp(machines: readonly RunningPortico[], up: 0 | 1): Promise<void> {
  for (const machine of machines) {
    await waitFor(
      async () => {
        await machine.get('/');
        return (await machine.metric('portico_rate_limit_redis_up')) === up;
      },
      `Redis to be ${up === 1 ? 'there' : 'away'}`,
    );
  }
}

const pauses = [0, 5, 20];

async function loadAll(machines: readonly RunningPortico[], durationMs: number) {
  const loads = await Promise.all(machines.map(({ port }) => rateLoad(port, pauses, durationMs)));
  const passed = loads.reduce((sum, load) => sum + load.passed, 0);
  return { passed, seconds: durationMs / 1000, slowestMs: Math.max(...loads.map(({ slowestMs }) => slowestMs)) };
}

test('machines that share a limit in Redis keep to it together', { skip }, async (t) => {
  const machines = await startMachines(t, await startRedis(t));
  await areUp(machines, 1);
  const { passed, seconds } = await loadAll(machines, 3000);
  const expected = rate * seconds + burst + 1;
  assert.ok(passed < expected * 1.1 && passed > expected * 0.85, `${passed} passed of ${expected}`);
});

test('a death of Redis under load fails no request, and each machine counts alone until it is back', {
  skip,
}, async (t) => {
  const redis = await startRedis(t);
  const machines = await startMachines(t, redis);
  await areUp(machines, 1);
  const running = loadAll(machines, 1500);
  await redis.kill();
  await areUp(machines, 0);
  await running;
  const alone = await loadAll(machines, 1000);
  assert.ok(alone.passed > 1.5 * rate * alone.seconds, `${alone.passed} passed alone`);
  const meanwhile = loadAll(machines, 1500);
  await redis.start();
  await areUp(machines, 1);
  await meanwhile;
  const together = await loadAll(machines, 2000);
  const expected = rate * together.seconds + burst + 1;
  assert.ok(together.passed < expected * 1.15, `${together.passed} passed together of ${expected}`);
  const log = machines.map(({ process }) => process.output.err).join('');
  assert.equal(log.match(/Redis is away/g)?.length, 2);
});

test('a Redis that hangs holds no request up', { skip }, async (t) => {
  const redis = await startRedis(t);
  const machines = await startMachines(t, redis);
  await areUp(machines, 1);
  redis.signal('SIGSTOP');
  const { slowestMs, passed } = await loadAll(machines, 1500);
  redis.signal('SIGCONT');
  assert.ok(passed > 0);
  assert.ok(slowestMs < 1000, `a request took ${slowestMs} ms`);
  await areUp(machines, 1);
});

test('a Redis that hangs for longer than its connections live is given up, and found again', { skip }, async (t) => {
  const redis = await startRedis(t);
  const machines = await startMachines(t, redis);
  await areUp(machines, 1);
  redis.signal('SIGSTOP');
  await areUp(machines, 0);
  // Its kernel still takes connections, on which nobody answers: those that are made anew hang as well.
  const { passed } = await loadAll(machines, 6000);
  assert.ok(passed > 1.5 * rate * 6, `${passed} passed alone`);
  redis.signal('SIGCONT');
  await areUp(machines, 1);
  const together = await loadAll(machines, 2000);
  const expected = rate * together.seconds + burst + 1;
  assert.ok(together.passed < expected * 1.15, `${together.passed} passed together of ${expected}`);
});

test('a Redis that comes and goes under load fails no request and does not flood the log', { skip }, async (t) => {
  const redis = await startRedis(t);
  const machines = await startMachines(t, redis);
  await areUp(machines, 1);
  const loading = new AbortController();
  const load = (async () => {
    while (!loading.signal.aborted) await loadAll(machines, 500);
  })();
  // It fails with the first request that does; awaited below.
  load.catch(() => undefined);
  const rounds = 4;
  for (let round = 0; round < rounds; round++) {
    await redis.kill();
    await areUp(machines, 0);
    await redis.start();
    await areUp(machines, 1);
  }
  loading.abort();
  await load;
  const lines = machines.map(({ process }) => process.output.err.match(/Redis is away/g)?.length ?? 0);
  assert.ok(
    lines.every((count) => count <= 2 * rounds),
    lines.join(' '),
  );
});

test('a machine that was started anew knows what its clients have used up', { skip }, async (t) => {
  const redis = await startRedis(t);
  const [one, other] = await startMachines(t, redis, '6r/m');
  if (one === undefined || other === undefined) throw new Error('two machines were started');
  await waitFor(
    async () => (await one.metric('portico_rate_limit_redis_batches_total')) > 0 || (await one.get('/')).status === 0,
    'a batch',
  );
  await waitFor(async () => (await one.get('/')).status === 429, 'the limit');
  // The other one is told with its first request.
  await waitFor(async () => (await other.get('/')).status === 429, 'the limit at the other');
  assert.ok((await other.metric('portico_rate_limit_requests_total')) < burst, 'it has heard of it');
});
