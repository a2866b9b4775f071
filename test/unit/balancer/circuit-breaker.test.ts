import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CircuitBreaker, type CircuitState } from '../../../src/balancer/circuit-breaker.ts';

const config = { errorRate: 50, window: 10_000, minRequests: 4, openFor: 5000, probes: 2 };

function makeBreaker() {
  const states: CircuitState[] = [];
  return { breaker: new CircuitBreaker(config, (state) => states.push(state)), states };
}

function opened() {
  const made = makeBreaker();
  for (let request = 0; request < 4; request++) made.breaker.record(true, false, 0);
  return made;
}

describe('a circuit breaker', () => {
  test('stays closed below the error rate', () => {
    const { breaker, states } = makeBreaker();
    for (let request = 0; request < 100; request++) breaker.record(request % 5 > 2, false, request);
    assert.equal(breaker.admit(100), 'pass');
    assert.deepEqual(states, []);
  });

  test('stays closed while there are too few requests to tell', () => {
    const { breaker } = makeBreaker();
    for (let request = 0; request < 3; request++) breaker.record(true, false, 0);
    assert.equal(breaker.admit(1), 'pass');
    breaker.record(true, false, 20_000);
    assert.equal(breaker.admit(20_000), 'pass', 'the others are out of the window');
  });

  test('opens at the error rate and refuses until its time is over', () => {
    const { breaker } = opened();
    assert.equal(breaker.state, 'open');
    assert.equal(breaker.admit(1000), 'refuse');
    assert.equal(breaker.retryAfter(1000), 4000);
    assert.equal(breaker.admit(4999), 'refuse');
  });

  test('lets some probes through after that, and no more', () => {
    const { breaker } = opened();
    assert.deepEqual(
      [1, 2, 3].map(() => breaker.admit(5000)),
      ['probe', 'probe', 'refuse'],
    );
    assert.equal(breaker.state, 'half-open');
  });

  test('closes when all probes succeed', () => {
    const { breaker, states } = opened();
    breaker.admit(5000);
    breaker.admit(5000);
    breaker.record(false, true, 5100);
    assert.equal(breaker.admit(5100), 'refuse');
    breaker.record(false, true, 5200);
    assert.equal(breaker.admit(5200), 'pass');
    assert.deepEqual(states, ['open', 'half-open', 'closed']);
    breaker.record(true, false, 5300);
    assert.equal(breaker.admit(5300), 'pass', 'what was before is forgotten');
  });

  test('opens again when a probe fails', () => {
    const { breaker } = opened();
    breaker.admit(5000);
    breaker.record(true, true, 5100);
    assert.equal(breaker.admit(10_000), 'refuse');
    assert.equal(breaker.admit(10_100), 'probe');
  });

  test('does not heed what was sent before it opened', () => {
    const { breaker } = opened();
    breaker.admit(5000);
    breaker.record(true, false, 5100);
    breaker.record(false, false, 5100);
    assert.equal(breaker.state, 'half-open');
  });

  test('lets another probe through in the place of one that said nothing', () => {
    const { breaker } = opened();
    breaker.admit(5000);
    breaker.admit(5000);
    breaker.abandon();
    assert.equal(breaker.admit(5000), 'probe');
    assert.equal(breaker.admit(5000), 'refuse');
  });
});
