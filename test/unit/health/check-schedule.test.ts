import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstCheckDelay, nextCheckDelay, secondCheckDelay } from '../../../src/health/check-schedule.ts';

const timing = fc.record({
  interval: fc.integer({ min: 100, max: 3_600_000 }),
  jitter: fc.integer({ min: 0, max: 50 }),
  rise: fc.integer({ min: 1, max: 10 }),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a pause is never longer than the interval, and shorter by no more than the jitter', () => {
  fc.assert(
    fc.property(timing, random, (when, chance) => {
      const pause = nextCheckDelay(when, 'up', chance);
      assert.ok(pause <= when.interval);
      assert.ok(pause >= when.interval * (1 - when.jitter / 100) - 1e-6);
    }),
  );
});

test('all the passes that a server needs fit into one interval while it is down', () => {
  fc.assert(
    fc.property(timing, fc.array(random, { minLength: 10, maxLength: 10 }), (when, chances) => {
      const pauses = chances.slice(0, when.rise).map((chance) => nextCheckDelay(when, 'down', chance));
      assert.ok(pauses.reduce((sum, pause) => sum + pause, 0) <= when.interval + 1e-6);
    }),
  );
});

test('the first check comes soon, at once where a server is alone', () => {
  fc.assert(
    fc.property(timing, fc.integer({ min: 1, max: 5000 }), random, (when, servers, chance) => {
      const delay = firstCheckDelay(when, servers, chance);
      assert.ok(delay >= 0 && delay <= when.interval && delay <= servers * 10);
    }),
  );
  assert.equal(firstCheckDelay({ interval: 2000, jitter: 10, rise: 2 }, 1, 0.9), 0);
});

test('a thousand servers that begin together are spread over the interval from their second check on', () => {
  const when = { interval: 2000, jitter: 10, rise: 2 };
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let server = 0; server < 1000; server++) {
    const tenth = Math.floor(secondCheckDelay(when, Math.random()) / 200);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) assert.ok(count > 30 && count < 300, `uneven: ${tenths.join(' ')}`);
});
