import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PurgeOrder, PurgeRequest } from '../../../src/cache/purge.ts';
import type { ToWorker } from '../../../src/ipc/message.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { CachePurges } from '../../../src/primary/cache-purges.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { waitFor } from '../../support/wait-for.ts';

const minute = 60_000;
const tag = (name: string): PurgeRequest => ({ zone: 'default', what: { kind: 'tag', tag: name }, soft: false });
type Said = Extract<ToWorker, { type: 'cache-purge' }>;

/** A primary's orders with workers that do what the test says, and a disk that the test sweeps. */
function makePurges(t: TestContext, { obedient = true } = {}) {
  const workers = [{ name: 'a' }, { name: 'b' }];
  const said: Said[] = [];
  const swept: string[][] = [];
  const logger = new RecordingLogger();
  const recorder = new FakeRecorder();
  const clock = { now: 1_000_000, clean: true };
  const purges: CachePurges = new CachePurges({
    broadcast: (message) => {
      if (message.type === 'cache-purge') said.push(message);
      if (obedient) setImmediate(() => workers.forEach((worker) => purges.confirmed(worker, said.at(-1)?.round ?? 0)));
      return workers;
    },
    sweeper: {
      sweep: async (_zone, orders) => {
        swept.push(orders.map(({ what }) => (what.kind === 'tag' ? what.tag : what.kind)));
        return clock.clean;
      },
    },
    recorder,
    logger,
    now: () => clock.now,
  });
  t.after(() => purges.close());
  return { purges, workers, said, swept, logger, recorder, clock };
}

async function zoneFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cache-purges-'));
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return join(path, 'default');
}

const targets = (orders: readonly PurgeOrder[]) =>
  orders.map(({ what }) => (what.kind === 'tag' ? what.tag : what.kind));

test('a purge ends when the last worker has confirmed it', async (t) => {
  const { purges, workers, said } = makePurges(t, { obedient: false });
  purges.configure([{ name: 'default', onDisk: false }]);
  let ended = false;
  const outcome = purges.purge([tag('a'), tag('b')]).finally(() => (ended = true));
  await waitFor(() => said.length === 1, 'the round');
  const round = said[0]?.round ?? 0;
  purges.confirmed(workers[0] ?? {}, round);
  purges.confirmed(workers[0] ?? {}, round);
  await new Promise(setImmediate);
  assert.equal(ended, false);
  purges.confirmed(workers[1] ?? {}, round);
  const { obeyedMs, ...rest } = await outcome;
  assert.ok(obeyedMs >= 0);
  assert.deepEqual(rest, { orders: 2, confirmed: 2, silent: 0, notKept: undefined });
});

test('a worker that dies is not waited for', async (t) => {
  const { purges, workers, said } = makePurges(t, { obedient: false });
  purges.configure([{ name: 'default', onDisk: false }]);
  const outcome = purges.purge([tag('a')]);
  purges.died(workers[1] ?? {});
  purges.confirmed(workers[0] ?? {}, said[0]?.round ?? 0);
  assert.equal((await outcome).silent, 0);
});

test('a worker that says nothing is given up, and the answer tells', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { purges } = makePurges(t, { obedient: false });
  purges.configure([{ name: 'default', onDisk: false }]);
  const outcome = purges.purge([tag('a')]);
  t.mock.timers.tick(5000);
  const { obeyedMs, ...rest } = await outcome;
  assert.ok(obeyedMs >= 0);
  assert.deepEqual(rest, { orders: 1, confirmed: 0, silent: 2, notKept: undefined });
});

test('orders have their time and numbers of their own, and are listed for workers that start', async (t) => {
  const { purges, recorder } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: false }]);
  await purges.purge([tag('a'), tag('b')]);
  await purges.purge([tag('c')], 77);
  assert.deepEqual(targets(purges.list), ['a', 'b', 'c']);
  assert.deepEqual(
    purges.list.map(({ time }) => time),
    [1_000_000, 1_000_000, 77],
  );
  assert.equal(new Set(purges.list.map(({ id }) => id)).size, 3);
  assert.equal(recorder.value(metricNames.cachePurges, { zone: 'default', kind: 'tag' }), 3);
  assert.equal(recorder.value(metricNames.cachePurgesPending, { zone: 'default' }), 3);
});

test('a zone that does not exist has nothing to purge', async (t) => {
  const { purges, said } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: false }]);
  assert.equal((await purges.purge([{ ...tag('a'), zone: 'nowhere' }])).orders, 0);
  assert.equal(said.length, 0);
});

test('orders outlive the program', async (t) => {
  const folder = await zoneFolder(t);
  const first = makePurges(t);
  first.purges.configure([{ name: 'default', onDisk: true }]);
  first.purges.opened('default', folder);
  assert.equal((await first.purges.purge([tag('a')])).notKept, undefined);
  await first.purges.purge([tag('b')]);
  await first.purges.close();
  const second = makePurges(t);
  second.purges.configure([{ name: 'default', onDisk: true }]);
  second.purges.opened('default', folder);
  assert.deepEqual(targets(second.purges.list), ['a', 'b']);
  assert.equal(second.purges.list[0]?.time, 1_000_000);
  await second.purges.purge([tag('c')]);
  await second.purges.close();
  const third = makePurges(t);
  third.purges.configure([{ name: 'default', onDisk: true }]);
  third.purges.opened('default', folder);
  assert.deepEqual(targets(third.purges.list), ['a', 'b', 'c']);
});

test('orders are forgotten when nothing is left on disk, by workers before the disk, and not before their time', async (t) => {
  const folder = await zoneFolder(t);
  const { purges, said, swept, clock } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: true }]);
  purges.opened('default', folder);
  await purges.purge([tag('a')]);
  await purges.sweep();
  assert.deepEqual(swept, []);
  clock.now += 2 * minute;
  clock.clean = false;
  await purges.purge([tag('b')]);
  await purges.sweep();
  assert.deepEqual(swept, [['a']]);
  assert.deepEqual(targets(purges.list), ['a', 'b']);
  clock.clean = true;
  const [order] = purges.list;
  await purges.sweep();
  assert.deepEqual(targets(purges.list), ['b']);
  assert.deepEqual(said.at(-1)?.retired, [order?.id]);
  await purges.close();
  const next = makePurges(t);
  next.purges.configure([{ name: 'default', onDisk: true }]);
  next.purges.opened('default', folder);
  assert.deepEqual(targets(next.purges.list), ['b']);
});

test('a zone in memory needs no sweep of the disk', async (t) => {
  const { purges, swept, clock } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: false }]);
  await purges.purge([tag('a')]);
  clock.now += 2 * minute;
  await purges.sweep();
  assert.deepEqual([swept, purges.list], [[], []]);
});

test('a journal that cannot be read purges everything rather than nothing', async (t) => {
  const folder = await zoneFolder(t);
  await mkdir(join(folder, 'purge-orders.jsonl'), { recursive: true });
  const { purges, logger } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: true }]);
  purges.opened('default', folder);
  assert.deepEqual(targets(purges.list), ['everything']);
  assert.equal(logger.messages('error').length > 0, true);
});

test('a disk that takes nothing does not keep an order from the workers', async (t) => {
  const folder = await zoneFolder(t);
  await writeFile(folder, 'a file where the folder should be');
  const { purges, recorder } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: true }]);
  purges.opened('default', join(folder, 'zone'));

  const outcome = await purges.purge([tag('a')]);
  assert.equal(outcome.confirmed, 2);
  assert.match(outcome.notKept ?? '', /E[A-Z]+/);
  assert.ok(recorder.value(metricNames.cacheStoreErrors, { zone: 'default', reason: 'write' }) > 0);
});

test('too many orders become one that concerns no less', async (t) => {
  const { purges, clock } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: false }]);
  for (let count = 0; count < 257; count++) {
    clock.now += 1;
    await purges.purge([{ zone: 'default', what: { kind: 'prefix', host: 'a', path: `/${count}` }, soft: false }]);
  }
  assert.equal(purges.list.filter(({ what }) => what.kind === 'prefix').length, 129);
  const everything = purges.list.find(({ what }) => what.kind === 'everything');
  assert.equal(everything?.time, 1_000_000 + 128);
});

test('orders for a folder that comes with a reload are told to the workers', async (t) => {
  const folder = await zoneFolder(t);
  const first = makePurges(t);
  first.purges.configure([{ name: 'default', onDisk: true }]);
  first.purges.opened('default', folder);
  await first.purges.purge([tag('a')]);
  await first.purges.close();
  const { purges, said } = makePurges(t);
  purges.configure([{ name: 'default', onDisk: false }]);
  await purges.purge([tag('b')]);
  purges.configure([{ name: 'default', onDisk: true }]);
  purges.opened('default', folder);
  assert.deepEqual(targets(purges.list).toSorted(), ['a', 'b']);
  assert.deepEqual(targets(said.at(-1)?.orders ?? []), ['a']);
});
