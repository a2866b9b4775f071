import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StallWatch } from '../../../src/listener/stall-watch.ts';

test('those who wait are looked at every four seconds, or four times within a shorter timeout', (t) => {
  for (const [timeoutMs, periodMs] of [
    [60_000, 4000],
    [2000, 500],
  ] as const) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const watch = new StallWatch(timeoutMs);
    let looks = 0;
    const waiting = { checkStall: () => void (looks += 1) };
    watch.add(waiting);
    t.mock.timers.tick(periodMs - 1);
    assert.equal(looks, 0);
    t.mock.timers.tick(1);
    assert.equal(looks, 1);
    t.mock.timers.tick(periodMs);
    assert.equal(looks, 2);
    watch.delete(waiting);
    t.mock.timers.tick(10 * periodMs);
    assert.equal(looks, 2);
    // The clock has stopped meanwhile, and starts again.
    watch.add(waiting);
    t.mock.timers.tick(periodMs);
    assert.ok(looks > 2);
    t.mock.timers.reset();
  }
});

test('a shorter timeout counts from when it is configured', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const watch = new StallWatch(60_000);
  let looks = 0;
  watch.add({ checkStall: () => void (looks += 1) });
  watch.configure(400);
  t.mock.timers.tick(100);
  assert.equal(looks, 1);
  watch.stop();
  t.mock.timers.tick(1000);
  assert.equal(looks, 1);
});

test('one who stops waiting while being looked at disturbs nobody', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const watch = new StallWatch(400);
  let looks = 0;
  const first = { checkStall: () => watch.delete(first) };
  watch.add(first);
  watch.add({ checkStall: () => void (looks += 1) });
  t.mock.timers.tick(200);
  assert.equal(looks, 2);
});
