import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthGate } from '../../../src/primary/health-gate.ts';

test('so many run at a time, the others in turn, those that left not at all', () => {
  const gate = new HealthGate(2);
  const begun: number[] = [];
  const leave = [0, 1, 2, 3, 4].map((number) => gate.enter(() => begun.push(number)));
  assert.deepEqual(begun, [0, 1]);
  assert.equal(gate.queued, 3);
  leave[2]?.();
  gate.release();
  assert.deepEqual(begun, [0, 1, 3]);
  gate.release();
  gate.release();
  gate.release();
  assert.deepEqual(begun, [0, 1, 3, 4]);
  assert.equal(gate.queued, 0);
  leave[0]?.();
  gate.enter(() => begun.push(5));
  assert.deepEqual(begun, [0, 1, 3, 4, 5], 'leaving after the beginning frees nothing twice');
});
