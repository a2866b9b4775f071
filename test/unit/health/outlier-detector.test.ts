import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Outcome } from '../../../src/balancer/admission.ts';
import { type Ejection, OutlierDetector, type OutlierLimits } from '../../../src/health/outlier-detector.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';

const defaults: OutlierLimits = {
  consecutiveFailures: 5,
  errorRate: 50,
  minRequests: 20,
  window: 10_000,
  ejectionTime: 1000,
  maxEjectionTime: 30_000,
  maxEjected: 50,
  status: [],
};
const ok: Outcome = { kind: 'response', status: 200, headMs: 1 };
const reset: Outcome = { kind: 'failed', error: new PorticoError('upstream_reset', 'gone') };

class TestServer {
  up = true;
  until = 0;
  readonly availability = { isEjected: (now: number) => now < this.until };

  mayTake(now: number): boolean {
    return this.up && now >= this.until;
  }

  ejectUntil(time: number): void {
    this.until = time;
  }
}

function detectorOf(count: number, limits: Partial<OutlierLimits> = {}) {
  const servers = Array.from({ length: count }, () => new TestServer());
  const ejections: { server: TestServer; ejection: Ejection }[] = [];
  const detector = new OutlierDetector<TestServer>(
    { ...defaults, ...limits },
    { servers: () => servers, ejected: (server, ejection) => ejections.push({ server, ejection }) },
  );
  const [first, second] = servers as [TestServer, TestServer];
  const fail = (times: number, now: number, server = first): void => {
    for (let time = 0; time < times; time++) detector.observe(server, reset, now);
  };
  return { detector, servers, first, second, ejections, fail };
}

test('failures in a row eject a server; a success between them does not let them add up', () => {
  const { detector, first, fail, ejections } = detectorOf(2);
  fail(4, 100);
  detector.observe(first, ok, 100);
  fail(4, 100);
  assert.equal(ejections.length, 0);
  fail(1, 100);
  assert.equal(first.until, 1100);
  assert.deepEqual(ejections[0]?.ejection, {
    cause: 'consecutive_failures',
    reason: '5 failures in a row',
    durationMs: 1000,
  });
});

test('half of the requests of a window eject a server, once there are enough of them', () => {
  const { detector, first, ejections } = detectorOf(2);
  for (let turn = 0; turn < 9; turn++) {
    detector.observe(first, ok, turn * 100);
    detector.observe(first, reset, turn * 100);
  }
  detector.observe(first, ok, 1000);
  assert.equal(ejections.length, 0, 'nineteen are too few');
  detector.observe(first, reset, 1000);
  assert.deepEqual(ejections[0]?.ejection.cause, 'error_rate');
  assert.equal(ejections[0]?.ejection.reason, '10 of 20 requests failed');
});

test('what lies behind the window does not count', () => {
  const { detector, first, ejections, fail } = detectorOf(2, { consecutiveFailures: 1000 });
  fail(19, 0);
  for (let request = 0; request < 30; request++) detector.observe(first, ok, 20_000);
  fail(10, 20_100);
  assert.equal(ejections.length, 0);
});

test('what the client did says nothing, nor do errors of the application unless they are named', () => {
  const { detector, first, ejections } = detectorOf(2);
  const outcomes: Outcome[] = [
    { kind: 'abandoned' },
    { kind: 'failed', error: new PorticoError('body_too_large', 'x') },
    { kind: 'failed', error: new PorticoError('internal', 'x') },
    { kind: 'response', status: 500, headMs: 1 },
  ];
  for (let turn = 0; turn < 100; turn++) for (const outcome of outcomes) detector.observe(first, outcome, turn);
  assert.equal(ejections.length, 0);
  const strict = detectorOf(2, { status: [[500, 599]] });
  for (let turn = 0; turn < 5; turn++) {
    strict.detector.observe(strict.first, { kind: 'abandoned' }, turn);
    strict.detector.observe(strict.first, { kind: 'response', status: 503, headMs: 1 }, turn);
  }
  assert.equal(strict.ejections.length, 1);
});

test('each ejection is twice as long as the one before, up to the longest, and time in service makes it shorter', () => {
  const { first, fail, ejections } = detectorOf(2);
  let now = 0;
  for (let turn = 0; turn < 7; turn++) {
    fail(5, now);
    now = first.until;
  }
  const lengths = () => ejections.map(({ ejection }) => ejection.durationMs);
  assert.deepEqual(lengths(), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  fail(5, now + 30_000 * 5);
  assert.equal(lengths().at(-1), 4000);
  fail(5, first.until + 30_000 * 100);
  assert.equal(lengths().at(-1), 1000);
});

test('what was in flight when a server was ejected does not make it worse', () => {
  const { first, fail, ejections } = detectorOf(2);
  fail(200, 0);
  assert.equal(ejections.length, 1);
  fail(4, first.until);
  assert.equal(ejections.length, 1);
});

test('the only server is never ejected, nor the last one that takes requests', () => {
  const alone = detectorOf(1, { maxEjected: 100 });
  alone.fail(100, 0);
  assert.equal(alone.ejections.length, 0);
  const two = detectorOf(2, { maxEjected: 100 });
  two.second.up = false;
  two.fail(100, 0);
  assert.equal(two.ejections.length, 0);
  two.second.up = true;
  two.fail(1, 0);
  assert.equal(two.ejections.length, 1);
});

test('switched off it takes everybody back and looks at nothing', () => {
  const { detector, first, fail, ejections } = detectorOf(2);
  fail(5, 0);
  detector.configure(false);
  assert.equal(first.until, 0);
  fail(100, 0);
  assert.equal(ejections.length, 1);
});

test('a reload that changes nothing forgets nothing', () => {
  const { detector, fail, ejections } = detectorOf(2);
  fail(4, 0);
  detector.configure({ ...defaults });
  fail(1, 0);
  assert.equal(ejections.length, 1);
});

test('whatever happens, no more than the share is ejected, one server takes requests, and no ejection is too long', () => {
  const event = fc.record({
    server: fc.nat(9),
    fails: fc.boolean(),
    pause: fc.integer({ min: 0, max: 3000 }),
    goes: fc.constantFrom('down', 'up', 'stays', 'stays', 'stays'),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 100 }),
      fc.array(event, { maxLength: 400 }),
      (count, maxEjected, events) => {
        const { detector, servers, ejections } = detectorOf(count, { maxEjected, consecutiveFailures: 2 });
        let now = 0;
        for (const { server: index, fails, pause, goes } of events) {
          const server = servers[index % count] as TestServer;
          if (goes !== 'stays') server.up = goes === 'up';
          now += pause;
          const before = ejections.length;
          detector.observe(server, fails ? reset : ok, now);
          const ejected = servers.filter(({ until }) => now < until).length;
          assert.ok(ejected <= Math.floor((count * maxEjected) / 100));
          if (ejections.length === before) continue;
          assert.ok(
            servers.some((one) => one.mayTake(now)),
            'the last one was ejected',
          );
          assert.ok(server.until - now >= 1000 && server.until - now <= 30_000);
        }
      },
    ),
  );
});
