import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finish, second, servingFleet } from '../../support/fake-fleet.ts';

test('a successor takes the place when it serves; only then the predecessor is told to finish, idle connections included', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  const [predecessor, other] = [forker.of(0), forker.of(1)];
  const replaced = fleet.replaceWorker(0, 30_000);
  const successor = forker.of(0);
  assert.notEqual(successor, predecessor);
  assert.ok(!predecessor.told.includes('drain'));
  successor.serve();
  assert.deepEqual(predecessor.received.at(-1), { type: 'drain', timeoutMs: 30_000, awaitIdle: true });
  assert.equal(fleet.serving, 2);
  assert.equal(fleet.slots[0]?.pid, successor.pid);
  assert.equal(fleet.slots[0]?.starts, 2);
  assert.equal(fleet.workers.length, 3);
  finish(predecessor, 1);
  assert.deepEqual(await replaced, { ok: true, cut: 1 });
  assert.equal(fleet.workers.length, 2);
  assert.equal(forker.processes.length, 3);
  assert.ok(!other.told.includes('drain'));
});

test('a successor that dies before it serves leaves the predecessor in its place', async (t) => {
  const { fleet, forker, events } = await servingFleet(t, 1);
  const predecessor = forker.of(0);
  const replaced = fleet.replaceWorker(0, 30_000);
  forker.of(0).exit(7);
  const result = await replaced;
  assert.match(result.ok ? '' : result.reason, /ended with code 7/);
  assert.equal(fleet.slots[0]?.pid, predecessor.pid);
  assert.equal(fleet.serving, 1);
  assert.ok(!predecessor.told.includes('drain'));
  assert.equal(forker.processes.length, 2);
  assert.ok(!events.some((event) => event.startsWith('restarted')));
});

test('a successor that refuses the configuration is ended, and the predecessor stays', async (t) => {
  const { fleet, forker } = await servingFleet(t, 1);
  const replaced = fleet.replaceWorker(0, 30_000);
  const successor = forker.of(0);
  successor.hello();
  successor.say({ type: 'refused', generation: 1, error: 'the folder is gone' });
  assert.deepEqual(await replaced, { ok: false, reason: 'the folder is gone' });
  assert.deepEqual(successor.signals, ['SIGKILL']);
  assert.equal(fleet.serving, 1);
  assert.equal(fleet.workers.length, 1);
});

test('a predecessor that dies before its successor serves has a successor already', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker, logger } = await servingFleet(t, 1);
  const replaced = fleet.replaceWorker(0, 30_000);
  forker.processes[0]?.exit(null, 'SIGSEGV');
  assert.equal((await replaced).ok, true);
  t.mock.timers.tick(60);
  assert.equal(forker.processes.length, 2);
  forker.of(0).serve();
  assert.equal(fleet.complete, true);
  assert.match(logger.messages('error')[0] ?? '', /was killed by SIGSEGV; its successor starts already/);
});

test('a reload while a worker is replaced reaches the successor, and waits for no predecessor', async (t) => {
  const { fleet, forker } = await servingFleet(t, 1);
  const predecessor = forker.of(0);
  const replaced = fleet.replaceWorker(0, 30_000);
  const successor = forker.of(0);
  const applied = fleet.apply(second);
  successor.serve();
  assert.equal(successor.lastGeneration, 2);
  assert.deepEqual(await applied, { ok: true });
  finish(predecessor, 0);
  assert.equal((await replaced).ok, true);
});

test('a predecessor that does not finish is killed after its time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker } = await servingFleet(t, 1);
  const predecessor = forker.of(0);
  const replaced = fleet.replaceWorker(0, 3000);
  forker.of(0).serve();
  for (let passed = 0; passed < 5; passed++) {
    predecessor.report({ inFlight: 2 });
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(predecessor.signals, ['SIGKILL']);
  assert.deepEqual(await replaced, { ok: true, cut: 2 });
  assert.equal(fleet.serving, 1);
});

test('only one worker is replaced at a time, and none while stopping', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  const first = fleet.replaceWorker(0, 1000);
  assert.equal((await fleet.replaceWorker(1, 1000)).ok, false);
  const successor = forker.of(0);
  const drained = fleet.drain(1000);
  assert.deepEqual(await first, { ok: false, reason: 'stopped meanwhile' });
  assert.deepEqual(successor.signals, ['SIGKILL']);
  for (const child of forker.processes) finish(child, 0);
  assert.equal(await drained, 0);
  assert.equal((await fleet.replaceWorker(0, 1000)).ok, false);
});

test('more workers are started and fewer retired when their number changes', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  fleet.resize(3, 1000);
  forker.of(2).serve();
  assert.equal(fleet.complete, true);
  fleet.resize(1, 1000);
  assert.equal(fleet.serving, 1);
  assert.deepEqual(forker.of(2).received.at(-1), { type: 'drain', timeoutMs: 1000, awaitIdle: true });
  finish(forker.of(1), 0);
  finish(forker.of(2), 0);
  assert.equal(fleet.workers.length, 1);
  assert.equal(forker.processes.length, 3);
});

test('a worker that waits for its restart is not started when fewer are wanted', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker } = await servingFleet(t, 2);
  forker.of(1).exit(1);
  fleet.resize(1, 1000);
  t.mock.timers.tick(1000);
  assert.equal(forker.processes.length, 2);
});

test('what was said of servers goes with each configuration', async (t) => {
  const { fleet, forker } = await servingFleet(t, 1);
  const serverStates = [{ upstream: 'app', server: 'a:1', state: 'drain' }] as const;
  fleet.standingOrders = () => ({ serverStates, cachePurges: [] });
  void fleet.replaceWorker(0, 1000);
  forker.of(0).hello();
  const [configure] = forker.of(0).received;
  assert.deepEqual(configure?.type === 'configure' ? configure.serverStates : undefined, serverStates);
});
