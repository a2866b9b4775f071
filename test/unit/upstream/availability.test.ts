import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Availability } from '../../../src/upstream/availability.ts';
import { LatencyEstimate } from '../../../src/upstream/latency-estimate.ts';

describe('a server that refuses connections', () => {
  test('is passed over for a time that doubles, up to a bound', () => {
    const server = new Availability();
    let now = 0;
    for (const expected of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      server.backOff(now, 1000, 'refused');
      assert.equal(server.mayTake(now + expected - 1), false);
      assert.equal(server.mayTake(now + expected), true);
      now += expected;
    }
  });

  test('is backed off once by many requests that find it dead at the same time', () => {
    const server = new Availability();
    for (let index = 0; index < 100; index++) server.backOff(index, 1000, 'refused');
    assert.equal(server.mayTake(1000), true);
    assert.equal(server.failedAt, 99);
  });

  test('is back at once when a connection opens', () => {
    const server = new Availability();
    server.backOff(0, 1000, 'refused');
    server.connected(10);
    assert.equal(server.mayTake(10), true);
    assert.equal(server.reason, undefined);
    server.backOff(20, 1000, 'refused');
    assert.equal(server.mayTake(1020), true, 'the times begin anew');
  });
});

describe('what the operator says', () => {
  test('drain takes no new sessions, maintenance takes nothing', () => {
    const server = new Availability();
    assert.deepEqual([server.mayTake(0), server.mayKeep(0)], [true, true]);
    server.setState('drain', 0);
    assert.deepEqual([server.mayTake(0), server.mayKeep(0)], [false, true]);
    server.setState('maintenance', 0);
    assert.deepEqual([server.mayTake(0), server.mayKeep(0)], [false, false]);
    assert.equal(server.setState('ready', 0), true);
    assert.equal(server.mayTake(0), true);
  });

  test('does not make a server well that is down', () => {
    const server = new Availability();
    server.setHealth(false, 'status 500', 0);
    server.setState('drain', 0);
    assert.equal(server.mayKeep(0), false);
    assert.equal(server.setState('ready', 0), false);
    assert.equal(server.mayTake(0), false);
  });
});

describe('what checks say', () => {
  test('takes a server out and in, and makes good what was held against it', () => {
    const server = new Availability();
    assert.equal(server.setHealth(false, 'status 500', 0), false);
    assert.equal(server.mayTake(0), false);
    assert.equal(server.reason, 'status 500');
    server.backOff(5, 60_000, 'refused');
    server.ejectUntil(90_000, 'five failures', 5);
    assert.equal(server.setHealth(true, undefined, 10), true);
    assert.equal(server.mayTake(10), true);
    assert.equal(server.reason, undefined);
  });

  test('a check that finds up what was up leaves an ejection alone', () => {
    const server = new Availability();
    server.setHealth(true, undefined, 0);
    server.ejectUntil(100, 'five failures', 0);
    assert.equal(server.setHealth(true, undefined, 50), false);
    assert.equal(server.mayTake(50), false);
  });
});

describe('an ejection', () => {
  test('ends by itself, or before', () => {
    const server = new Availability();
    server.ejectUntil(100, 'five failures', 0);
    assert.equal(server.mayTake(99), false);
    assert.equal(server.mayTake(100), true);
    server.ejectUntil(300, 'five failures', 200);
    server.ejectUntil(0, undefined, 250);
    assert.equal(server.mayTake(250), true);
  });
});

describe('slow start', () => {
  const slowStart = 10_000;

  test('a server that was there from the beginning has its whole weight', () => {
    assert.equal(new Availability().share(0, slowStart), 1);
  });

  const ways: Readonly<Record<string, (server: Availability) => void>> = {
    'a refused connection': (server) => server.backOff(0, 1000, 'refused'),
    'an ejection': (server) => server.ejectUntil(1000, 'five failures', 0),
    'a check that failed': (server) => {
      server.setHealth(false, 'status 500', 0);
      server.setHealth(true, undefined, 1000);
    },
    maintenance: (server) => {
      server.setState('maintenance', 0);
      server.setState('ready', 1000);
    },
    'coming to others': (server) => server.arrived(1000),
    'a connection that opened while it was backed off': (server) => {
      server.backOff(0, 60_000, 'refused');
      server.connected(1000);
    },
  };
  for (const [name, leaveAndComeBack] of Object.entries(ways)) {
    test(`after ${name} the weight grows evenly, from almost nothing`, () => {
      const server = new Availability();
      leaveAndComeBack(server);
      assert.equal(server.share(1000, slowStart), 0.01);
      assert.equal(server.share(3500, slowStart), 0.25);
      assert.equal(server.share(6000, slowStart), 0.5);
      assert.equal(server.share(11_000, slowStart), 1);
      assert.equal(server.share(99_000, slowStart), 1);
    });
  }

  test('without it the weight is whole at once', () => {
    const server = new Availability();
    server.arrived(0);
    assert.equal(server.share(0, 0), 1);
  });
});

describe('the estimate of a latency', () => {
  test('follows the responses, upwards at once and downwards slowly', () => {
    const estimate = new LatencyEstimate();
    assert.equal(estimate.current(0), 0);
    estimate.observe(10, 0);
    assert.equal(estimate.current(0), 10);
    estimate.observe(100, 0);
    assert.equal(estimate.current(0), 100);
    estimate.observe(10, 0);
    assert.equal(estimate.current(0), 100, 'no time has passed: the peak has its whole say');
    for (let now = 100; now <= 60_000; now += 100) estimate.observe(10, now);
    assert.ok(Math.abs(estimate.current(60_000) - 10) < 1);
  });

  test('fades when nothing comes', () => {
    const estimate = new LatencyEstimate();
    estimate.observe(1000, 0);
    assert.ok(estimate.current(60_000) < 10);
    assert.ok(estimate.current(60_000) > 0);
  });
});
