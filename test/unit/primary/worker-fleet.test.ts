import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { RestartPolicy } from '../../../src/primary/restart-policy.ts';
import { type TransitionResult, WorkerFleet } from '../../../src/primary/worker-fleet.ts';
import type { Target } from '../../../src/primary/worker-slot.ts';
import { FakeForker, type FakeWorkerProcess } from '../../support/fake-worker-process.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const first: Target = { generation: 1, config: {} as Config };
const second: Target = { generation: 2, config: {} as Config };

test('all workers are forked at once and told their configuration when they have said hello', async (t) => {
  const { fleet, forker } = makeFleet(t, 2);
  fleet.start();
  assert.equal(forker.processes.length, 2);
  const applied = fleet.apply(first);
  assert.deepEqual(forker.of(0).told, []);
  forker.of(0).hello();
  assert.deepEqual(forker.of(0).told, ['configure']);
  forker.of(0).confirm();
  assert.equal(fleet.complete, false);
  forker.of(1).serve();
  assert.deepEqual(await applied, { ok: true });
  assert.equal(fleet.complete, true);
});

test('a configuration that a worker refuses at start is not served', async (t) => {
  const { fleet, forker } = makeFleet(t, 2);
  fleet.start();
  const applied = fleet.apply(first);
  forker.of(0).hello();
  forker.of(0).say({ type: 'refused', generation: 1, error: 'no such folder' });
  assert.deepEqual(await applied, { ok: false, why: 'refused', reason: 'no such folder' });
});

test('a dead worker is replaced, gets the configuration in force, and its requests are named', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker, events, logger } = await servingFleet(t, 2);
  forker.of(1).report({ inFlight: 3 });
  forker.of(1).exit(null, 'SIGKILL');
  assert.equal(fleet.serving, 1);
  t.mock.timers.tick(0);
  assert.equal(forker.processes.length, 3);
  forker.of(1).serve();
  assert.equal(fleet.complete, true);
  assert.equal(forker.of(1).lastGeneration, 1);
  assert.deepEqual(events.filter((event) => event === 'restarted 1').length, 1);
  assert.match(logger.messages('error')[0] ?? '', /^worker 1 \(pid 1001\) was killed by SIGKILL; replaced at once$/);
  assert.equal(logger.entries[0]?.fields['requestsInFlight'], 3);
});

test('the fifth death gives up with an explanation and forks nothing more', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker, events } = await servingFleet(t, 1);
  for (let death = 0; death < 5; death++) {
    forker.of(0).exit(7);
    t.mock.timers.tick(1000);
  }
  assert.equal(forker.processes.length, 5);
  assert.equal(fleet.serving, 0);
  assert.match(
    events.at(-1) ?? '',
    /^gaveUp 5 workers died within 30 seconds, the last: worker 0 .* ended with code 7/,
  );
  t.mock.timers.tick(60_000);
  assert.equal(forker.processes.length, 5);
});

test('a process that cannot be forked counts as a death', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker, events } = makeFleet(t, 1);
  fleet.start();
  for (let death = 0; death < 5; death++) {
    const child = forker.of(0);
    Object.assign(child, { pid: undefined });
    child.emit('error', new Error('spawn EAGAIN'));
    t.mock.timers.tick(1000);
  }
  assert.match(events.at(-1) ?? '', /^gaveUp .* could not be started: spawn EAGAIN/);
});

test('a fork that throws counts as a death', async (t) => {
  const { fleet, events } = makeFleet(t, 1, () => {
    throw new Error('out of memory');
  });
  fleet.start();
  while (!events.some((event) => event.startsWith('gaveUp'))) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(events.at(-1) ?? '', /could not be started: out of memory/);
});

test('a worker that hangs at start is killed and replaced', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker, logger } = makeFleet(t, 1);
  fleet.start();
  void fleet.apply(first);
  t.mock.timers.tick(10_000);
  assert.deepEqual(forker.processes[0]?.signals, ['SIGKILL']);
  assert.match(logger.messages('error')[0] ?? '', /did not start in time and was killed/);
  t.mock.timers.tick(0);
  assert.equal(forker.processes.length, 2);
});

test('a reload is done when every worker has confirmed it', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  let result: TransitionResult | undefined;
  const applied = fleet.apply(second).then((value) => (result = value));
  forker.of(0).confirm();
  await Promise.resolve();
  assert.equal(result, undefined);
  forker.of(1).confirm();
  await applied;
  assert.deepEqual(result, { ok: true });
  assert.equal(forker.processes.length, 2);
});

test('a reload that one worker refuses is taken back from those that confirmed it', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  const applied = fleet.apply(second);
  forker.of(0).confirm();
  forker.of(1).say({ type: 'refused', generation: 2, error: 'port taken' });
  assert.deepEqual(await applied, { ok: false, why: 'refused', reason: 'port taken' });
  assert.equal(forker.of(0).lastGeneration, 1);
  forker.of(0).confirm();
  assert.deepEqual(
    fleet.slots.map((slot) => slot.generation),
    [1, 1],
  );
});

test('a worker that is late with a refused reload is sent back when it answers, one configuration at a time', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  const applied = fleet.apply(second);
  forker.of(0).say({ type: 'refused', generation: 2, error: 'no' });
  await applied;
  assert.equal(forker.of(1).lastGeneration, 2);
  forker.of(1).confirm();
  assert.equal(forker.of(1).lastGeneration, 1);
});

test('a worker that dies while it takes a new configuration fails the reload; its replacement gets the former one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker } = await servingFleet(t, 2);
  const applied = fleet.apply(second);
  forker.of(0).confirm();
  forker.of(1).exit(null, 'SIGSEGV');
  const result = await applied;
  assert.equal(result.ok, false);
  assert.match(result.ok ? '' : result.reason, /worker 1 was killed by SIGSEGV while it took the configuration/);
  t.mock.timers.tick(0);
  forker.of(1).serve();
  assert.equal(forker.of(1).lastGeneration, 1);
});

test('a worker that starts during a reload comes up with the new configuration and is waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker } = await servingFleet(t, 2);
  forker.of(1).exit(1);
  t.mock.timers.tick(0);
  const applied = fleet.apply(second);
  forker.of(0).confirm();
  forker.of(1).serve();
  assert.deepEqual(await applied, { ok: true });
  assert.equal(forker.of(1).lastGeneration, 2);
});

test('a replacement that refuses the configuration in force starts anew', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { forker } = await servingFleet(t, 1);
  forker.of(0).exit(1);
  t.mock.timers.tick(0);
  const replacement = forker.of(0);
  replacement.hello();
  replacement.say({ type: 'refused', generation: 1, error: 'gone' });
  assert.deepEqual(replacement.signals, ['SIGKILL']);
});

test('a drain tells every worker once, waits for the last, and adds up what was cut', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  const drained = fleet.drain(30_000);
  assert.deepEqual(forker.of(0).received.at(-1), { type: 'drain', timeoutMs: 30_000, awaitIdle: false });
  finish(forker.of(0), 2);
  finish(forker.of(1), 1);
  assert.equal(await drained, 3);
  assert.equal(forker.processes.length, 2);
});

test('a stuck worker is killed in the drain and what it had in flight counts as cut', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker } = await servingFleet(t, 2);
  forker.of(1).report({ inFlight: 4 });
  const drained = fleet.drain(30_000);
  finish(forker.of(0), 0);
  t.mock.timers.tick(5_000);
  assert.deepEqual(forker.of(1).signals, ['SIGKILL']);
  assert.equal(await drained, 4);
});

test('a worker that reports while it drains has its time, and no more', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fleet, forker } = await servingFleet(t, 1);
  const drained = fleet.drain(20_000);
  for (let passed = 0; passed < 21; passed++) {
    t.mock.timers.tick(1000);
    forker.of(0).report({ inFlight: 1 });
  }
  assert.deepEqual(forker.of(0).signals, []);
  t.mock.timers.tick(1000);
  assert.deepEqual(forker.of(0).signals, ['SIGKILL']);
  assert.equal(await drained, 1);
});

test('a shutdown before all workers serve ends the start', async (t) => {
  const { fleet, forker } = makeFleet(t, 1);
  fleet.start();
  const applied = fleet.apply(first);
  const drained = fleet.drain(1000);
  finish(forker.of(0), 0);
  assert.equal((await applied).ok, false);
  assert.equal(await drained, 0);
});

test('nothing is applied after a shutdown, and nothing is waited for', async (t) => {
  const { fleet, forker } = makeFleet(t, 1);
  fleet.start();
  const drained = fleet.drain(1000);
  assert.equal((await fleet.apply(first)).ok, false);
  finish(forker.of(0), 0);
  await drained;
});

test('reports pass on with a key that no other worker of the slot has', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { forker, events } = await servingFleet(t, 1);
  forker.of(0).report();
  forker.of(0).exit(1);
  t.mock.timers.tick(0);
  forker.of(0).report();
  assert.deepEqual(
    events.filter((event) => event.startsWith('reported')),
    ['reported 0', 'reported 1'],
  );
});

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
  assert.ok(successor.told.includes('drain'));
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
  fleet.serverStates = [{ upstream: 'app', server: 'a:1', state: 'drain' }];
  void fleet.replaceWorker(0, 1000);
  forker.of(0).hello();
  const [configure] = forker.of(0).received;
  assert.deepEqual(configure?.type === 'configure' ? configure.serverStates : undefined, fleet.serverStates);
});

function finish(child: FakeWorkerProcess, cut: number): void {
  child.say({ type: 'drained', cut });
  child.exit(0);
}

function makeFleet(t: TestContext, workers: number, fork?: () => never) {
  const forker = new FakeForker();
  const logger = new RecordingLogger();
  const events: string[] = [];
  let now = 0;
  const fleet = new WorkerFleet({
    workers,
    forkWorker: fork ?? forker.fork,
    restartPolicy: new RestartPolicy(() => now++),
    logger,
    events: {
      reported: (_slot, _report, workerKey) => void events.push(`reported ${workerKey}`),
      said: () => {},
      died: (slot, death) => void events.push(`died ${slot.number} ${death.cause}`),
      restarted: (slot) => void events.push(`restarted ${slot.number}`),
      changed: () => {},
      gaveUp: (explanation) => void events.push(`gaveUp ${explanation}`),
    },
  });
  // Its timers and replacements would outlive the test.
  t.after(() => fleet.kill('the test is over'));
  return { fleet, forker, logger, events };
}

async function servingFleet(t: TestContext, workers: number) {
  const made = makeFleet(t, workers);
  made.fleet.start();
  const applied = made.fleet.apply(first);
  for (const child of made.forker.processes) child.serve();
  assert.deepEqual(await applied, { ok: true });
  return made;
}
