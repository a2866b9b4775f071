import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartPolicy } from '../../../src/primary/restart-policy.ts';

test('the first death is answered with a replacement at once', () => {
  assert.deepEqual(new RestartPolicy(() => 0).died(), { restartInMs: 0 });
});

test('further deaths within the window wait twice as long each, always below a second', () => {
  const policy = new RestartPolicy(() => 5);
  const waits = [policy.died(), policy.died(), policy.died(), policy.died()];
  assert.deepEqual(waits, [{ restartInMs: 0 }, { restartInMs: 100 }, { restartInMs: 200 }, { restartInMs: 400 }]);
});

test('the fifth death within thirty seconds gives up', () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  for (now = 0; now < 28_000; now += 7_000) assert.notEqual(policy.died(), 'give-up');
  now = 29_999;
  assert.equal(policy.died(), 'give-up');
});

test('deaths older than thirty seconds are forgiven', () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  for (let death = 0; death < 4; death++) policy.died();
  now = 30_000;
  assert.deepEqual(policy.died(), { restartInMs: 0 });
});

test('a death every eight seconds is replaced for ever', () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  for (let death = 0; death < 50; death++, now += 8_000) assert.notEqual(policy.died(), 'give-up');
});
