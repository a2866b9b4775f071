import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToWorker } from '../../../src/ipc/message.ts';
import { ReportRound } from '../../../src/primary/report-round.ts';
import type { SlotState } from '../../../src/primary/worker-slot.ts';

class FakeSlot {
  state: SlotState = 'serving';
  readonly asked: number[] = [];

  send(message: ToWorker): boolean {
    if (message.type === 'report') this.asked.push(message.id);
    return true;
  }
}

test('a round ends when every serving worker has reported', async () => {
  const [a, b] = [new FakeSlot(), new FakeSlot()];
  const round = new ReportRound(() => [a, b]);
  const done = track(round.ask());
  round.reported(a, 1);
  await settled();
  assert.equal(done.value, false);
  round.reported(b, 1);
  await done.promise;
});

test('workers that start or are dead are not asked', async () => {
  const [starting, dead] = [new FakeSlot(), new FakeSlot()];
  starting.state = 'starting';
  dead.state = 'dead';
  await new ReportRound(() => [starting, dead]).ask();
  assert.deepEqual([starting.asked, dead.asked], [[], []]);
});

test('a worker that dies within the round is not waited for', async () => {
  const slot = new FakeSlot();
  const round = new ReportRound(() => [slot]);
  const asked = round.ask();
  round.died(slot);
  await asked;
});

test('regular reports do not pass for the one that was asked for', async () => {
  const slot = new FakeSlot();
  const round = new ReportRound(() => [slot]);
  const done = track(round.ask());
  round.reported(slot, undefined);
  await settled();
  assert.equal(done.value, false);
  round.reported(slot, 1);
  await done.promise;
});

test('a stuck worker costs one scrape its patience and is not asked again until it answers', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [stuck, well] = [new FakeSlot(), new FakeSlot()];
  const round = new ReportRound(() => [stuck, well]);
  const first = round.ask();
  round.reported(well, 1);
  t.mock.timers.tick(200);
  await first;
  const second = round.ask();
  round.reported(well, 2);
  await second;
  assert.deepEqual(stuck.asked, [1]);
  round.reported(stuck, 1);
  const third = round.ask();
  round.reported(well, 3);
  round.reported(stuck, 3);
  await third;
  assert.deepEqual(stuck.asked, [1, 3]);
});

test('scrapes at the same time share a round', async () => {
  const slot = new FakeSlot();
  const round = new ReportRound(() => [slot]);
  const both = [round.ask(), round.ask()];
  round.reported(slot, 1);
  await Promise.all(both);
  assert.deepEqual(slot.asked, [1]);
});

function track(promise: Promise<void>) {
  const state = { value: false, promise };
  void promise.then(() => (state.value = true));
  return state;
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
