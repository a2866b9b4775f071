import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransitionResult } from '../../../src/primary/worker-fleet.ts';
import { finish, first, makeFleet, second, servingFleet } from '../../support/fake-fleet.ts';
import { waitFor } from '../../support/wait-for.ts';

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
  await waitFor(() => events.some((event) => event.startsWith('gaveUp')), 'the fleet to give up');
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
  forker.of(0).hello();
  const applied = fleet.apply(first);
  const drained = fleet.drain(1000);
  finish(forker.of(0), 0);
  assert.equal((await applied).ok, false);
  assert.equal(await drained, 0);
});

test('a shutdown ends a worker that cannot hear yet, instead of waiting for what it will never finish', async (t) => {
  const { fleet, forker } = await servingFleet(t, 2);
  forker.of(0).exit(1);
  await waitFor(() => forker.processes.length === 3, 'the replacement');
  const drained = fleet.drain(30_000);
  assert.deepEqual(forker.processes[2]?.signals, ['SIGKILL']);
  finish(forker.of(1), 2);
  assert.equal(await drained, 2);
});

test('nothing is applied after a shutdown, and nothing is waited for', async (t) => {
  const { fleet, forker } = makeFleet(t, 1);
  fleet.start();
  forker.of(0).hello();
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
