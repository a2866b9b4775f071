import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplacementResult } from '../../../src/primary/worker-fleet.ts';
import { WorkerRoll } from '../../../src/primary/worker-roll.ts';
import type { WorkerSlot } from '../../../src/primary/worker-slot.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const megabyte = 1024 ** 2;

test('workers are replaced one after the other', async () => {
  const { roll, fleet } = makeRoll(2);
  const done = roll.all('request');
  assert.equal(roll.busy, true);
  await settled();
  assert.deepEqual(fleet.asked, [0]);
  assert.equal(roll.current?.replaced, 0);
  fleet.finish({ ok: true, cut: 1 });
  await settled();
  assert.deepEqual(fleet.asked, [0, 1]);
  assert.equal(roll.current?.replaced, 1);
  fleet.finish({ ok: true, cut: 2 });
  await done;
  await settled();
  assert.equal(roll.busy, false);
  assert.equal(roll.current, undefined);
  assert.deepEqual(roll.last, { reason: 'request', startedAt: 0, workers: 2, replaced: 2, cut: 3, endedAt: 0 });
});

test('the first worker that cannot be replaced ends it', async () => {
  const { roll, fleet, rolled, logger } = makeRoll(2);
  const done = roll.all('request');
  await settled();
  fleet.finish({ ok: false, reason: 'no memory' });
  await done;
  assert.deepEqual(fleet.asked, [0]);
  assert.equal(roll.last?.error, 'no memory');
  assert.deepEqual(rolled, ['request failure']);
  assert.match(logger.messages('error')[0] ?? '', /^workers not replaced, those there are go on: no memory$/);
});

test('a change of their number waits for the roll under way', async () => {
  const { roll, fleet } = makeRoll(1);
  const done = roll.all('configuration');
  void roll.resize(4);
  await settled();
  assert.deepEqual(fleet.sizes, []);
  fleet.finish({ ok: true, cut: 0 });
  await done;
  await settled();
  assert.deepEqual(fleet.sizes, [4]);
});

test('a worker over its memory limit is replaced once, and left alone for a while after that', async () => {
  const { roll, fleet, clock } = makeRoll(2);
  const slot = fleet.slots[1] as WorkerSlot;
  slot.workerState = { ...slot.workerState, rssBytes: 300 * megabyte } as NonNullable<WorkerSlot['workerState']>;
  roll.checkMemory(slot, 200 * megabyte);
  roll.checkMemory(slot, 200 * megabyte);
  await settled();
  assert.deepEqual(fleet.asked, [1]);
  fleet.finish({ ok: true, cut: 0 });
  await settled();
  roll.checkMemory(slot, 200 * megabyte);
  await settled();
  assert.deepEqual(fleet.asked, [1]);
  clock.now = 61_000;
  roll.checkMemory(slot, 200 * megabyte);
  await settled();
  assert.deepEqual(fleet.asked, [1, 1]);
});

test('without a limit, below it, and while a worker does not serve, memory replaces nobody', async () => {
  const { roll, fleet } = makeRoll(1);
  const slot = fleet.slots[0] as WorkerSlot;
  slot.workerState = { rssBytes: 300 * megabyte } as NonNullable<WorkerSlot['workerState']>;
  roll.checkMemory(slot, false);
  roll.checkMemory(slot, 400 * megabyte);
  slot.state = 'draining';
  roll.checkMemory(slot, 200 * megabyte);
  await settled();
  assert.deepEqual(fleet.asked, []);
});

class FakeFleet {
  readonly slots: WorkerSlot[];
  readonly asked: number[] = [];
  readonly sizes: number[] = [];
  finish: (result: ReplacementResult) => void = () => {};

  constructor(workers: number) {
    this.slots = Array.from({ length: workers }, (_, number) => ({ number, state: 'serving' }) as WorkerSlot);
  }

  replaceWorker(number: number): Promise<ReplacementResult> {
    this.asked.push(number);
    return new Promise((resolve) => (this.finish = resolve));
  }

  resize(workers: number): void {
    this.sizes.push(workers);
  }
}

function makeRoll(workers: number) {
  const fleet = new FakeFleet(workers);
  const logger = new RecordingLogger();
  const rolled: string[] = [];
  const clock = { now: 0 };
  const roll = new WorkerRoll({
    fleet,
    logger,
    metrics: { rolled: (reason, success) => void rolled.push(`${reason} ${success ? 'success' : 'failure'}`) },
    shutdownTimeoutMs: () => 1000,
    now: () => clock.now,
  });
  return { roll, fleet, rolled, logger, clock };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
