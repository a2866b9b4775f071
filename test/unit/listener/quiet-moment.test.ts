import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inQuietMoment } from '../../../src/listener/quiet-moment.ts';

test('it waits while the event loop is busy, and does its work right behind a round that was short', async () => {
  let busy = 5;
  const work = (): void => {
    const end = performance.now() + 20;
    while (performance.now() < end);
    busy -= 1;
    if (busy > 0) setImmediate(work);
  };
  setImmediate(work);
  let busyThen = -1;
  await inQuietMoment(() => (busyThen = busy));
  assert.equal(busyThen, 0);
});

test('under work that never ends it does it all the same, after a second', async () => {
  let done = false;
  const work = (): void => {
    const end = performance.now() + 5;
    while (performance.now() < end);
    if (!done) setImmediate(work);
  };
  setImmediate(work);
  const begin = performance.now();
  await inQuietMoment(() => (done = true));
  assert.ok(performance.now() - begin >= 1000);
});
