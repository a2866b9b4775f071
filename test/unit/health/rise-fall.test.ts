import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Health, RiseFall } from '../../../src/health/rise-fall.ts';

const thresholds = fc.record({ rise: fc.integer({ min: 1, max: 6 }), fall: fc.integer({ min: 1, max: 6 }) });
const startAs = fc.constantFrom<Health>('up', 'down');

test('the first check decides alone', () => {
  for (const start of ['up', 'down'] as const) {
    for (const passed of [true, false]) {
      const state = new RiseFall({ rise: 5, fall: 5 }, start);
      assert.equal(state.known, false);
      state.record(passed);
      assert.equal(state.known, true);
      assert.equal(state.health, passed ? 'up' : 'down');
    }
  }
});

test('after the first check the state is that of the last row of `rise` passes or `fall` failures', () => {
  fc.assert(
    fc.property(
      thresholds,
      startAs,
      fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
      (limits, start, checks) => {
        const state = new RiseFall(limits, start);
        checks.forEach((passed, index) => {
          state.record(passed);
          assert.equal(state.health, expectedAfter(checks.slice(0, index + 1), limits));
        });
      },
    ),
  );
});

test('a change is told exactly when the state is another one than before', () => {
  fc.assert(
    fc.property(thresholds, startAs, fc.array(fc.boolean(), { maxLength: 60 }), (limits, start, checks) => {
      const state = new RiseFall(limits, start);
      for (const passed of checks) {
        const before = state.health;
        const change = state.record(passed);
        assert.equal(change, state.health === before ? undefined : state.health);
      }
    }),
  );
});

test('other thresholds count from the next check on, with the row so far', () => {
  const state = new RiseFall({ rise: 2, fall: 10 }, 'up');
  for (const passed of [true, false, false]) state.record(passed);
  state.configure({ rise: 2, fall: 3 });
  assert.equal(state.record(false), 'down');
});

/** The same from the whole history, found from its end. */
function expectedAfter(checks: readonly boolean[], { rise, fall }: { rise: number; fall: number }): Health {
  for (let end = checks.length; end > 1; end--) {
    for (const [passed, needed] of [[true, rise] as const, [false, fall] as const]) {
      const row = checks.slice(Math.max(0, end - needed), end);
      if (row.length === needed && row.every((one) => one === passed)) return passed ? 'up' : 'down';
    }
  }
  return checks[0] === true ? 'up' : 'down';
}
