import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLoopLag } from '../../../src/metrics/event-loop-lag.ts';

test('the longest delay is given once, whether a tick saw it or it is still going on', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const lag = new EventLoopLag(() => now);
  now = 20;
  context.mock.timers.tick(20);
  assert.equal(lag.take(), 0);
  now = 340;
  context.mock.timers.tick(20);
  now = 360;
  context.mock.timers.tick(20);
  assert.equal(lag.take(), 0.3);
  assert.equal(lag.take(), 0);
  now = 1380;
  assert.equal(lag.take(), 1);
  lag.close();
});
