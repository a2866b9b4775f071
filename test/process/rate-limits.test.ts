import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RateLoad, rateLoad } from '../support/rate-load.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const rate = 100;
// Half a second: what a busy machine may let the clients sleep.
const burst = 50;

function site(more = ''): string {
  return `accessLog: false
rateLimits: { api: { rate: ${rate}r/s, burst: ${burst}${more} } }
sites: [{ rateLimit: api, routes: [{ path: /, respond: { body: ok } }] }]
`;
}

function assertExact({ passed, refused, seconds }: RateLoad, allowance = 0.05): void {
  const expected = rate * seconds + burst + 1;
  assert.ok(refused > 0, 'the load was too small');
  assert.ok(Math.abs(passed - expected) <= expected * allowance, `${passed} passed of ${expected.toFixed(0)}`);
}

test('a rate holds within 5 % over four workers, most of the load being at some of them', async (t) => {
  const portico = await RunningPortico.start(t, site(), { workers: 4 });
  // Twelve connections lie as the kernel's hash throws them; two are far busier than the others.
  assertExact(await rateLoad(portico.port, [0, 0, 20, 20, 20, 20, 20, 20, 50, 50, 50, 50], 3000));
  assert.ok((await portico.metric('portico_rate_limit_requests_total')) > 0);
});

test('a rate holds within 5 % where one worker has all of the load', async (t) => {
  const portico = await RunningPortico.start(t, site(), { workers: 4 });
  assertExact(await rateLoad(portico.port, [0], 2000));
});

test('the death of workers gives nobody a second burst', async (t) => {
  // So slow that no request becomes free during the test.
  const portico = await RunningPortico.start(t, site().replace(`${rate}r/s`, '1r/h'), { workers: 2 });
  for (let count = 0; count <= burst; count++) assert.equal((await portico.get('/')).status, 200);
  // Both have been at work for a while since they counted the last one: what they counted is told.
  let inARow = 0;
  await waitFor(async () => {
    inARow = (await portico.get('/')).status === 429 ? inARow + 1 : 0;
    return inARow >= 20;
  }, 'the limit');
  for (const pid of portico.process.workerPids()) process.kill(pid, 'SIGKILL');
  await waitFor(async () => (await portico.metric('portico_worker_restarts_total')) >= 2, 'new workers');
  await waitFor(async () => (await portico.metric('portico_workers')) === 2, 'new workers to serve');
  assert.equal((await portico.get('/')).status, 429);
});

test('a reload changes the rate and forgets nothing', async (t) => {
  const portico = await RunningPortico.start(t, site().replace(`${rate}r/s`, '1r/h'), { workers: 2 });
  await waitFor(async () => (await portico.get('/')).status === 429, 'the limit');
  await portico.rewrite(site().replace(`${rate}r/s`, '2r/h'));
  assert.equal(await portico.reload(), 'success');
  assert.equal((await portico.get('/')).status, 429);
  await portico.rewrite(site().replace(`${rate}r/s`, '500r/s'));
  assert.equal(await portico.reload(), 'success');
  await waitFor(async () => (await portico.get('/')).status === 200, 'the new rate');
});
