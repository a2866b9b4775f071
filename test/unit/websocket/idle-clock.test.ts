import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { IdleClock } from '../../../src/websocket/idle-clock.ts';

test('the clock ticks eight times in a timeout, and only while somebody listens', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const clock = new IdleClock(8000);
    let ticks = 0;
    const idler = { checkIdle: () => void ticks++ };
    mock.timers.tick(8000);
    assert.equal(ticks, 0);
    clock.add(idler);
    mock.timers.tick(8000);
    assert.equal(ticks, 8);
    clock.delete(idler);
    mock.timers.tick(8000);
    assert.equal(ticks, 8);
    clock.add(idler);
    mock.timers.tick(1000);
    assert.equal(ticks, 9);
    clock.delete(idler);
  } finally {
    mock.timers.reset();
  }
});
