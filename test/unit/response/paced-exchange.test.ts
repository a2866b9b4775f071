import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { PaceClock } from '../../../src/response/pace-clock.ts';
import { limitRate, PacedExchange } from '../../../src/response/paced-exchange.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const ok = responseHead(200, []);
const rate = 1000;

/** A clock whose time a test makes pass. */
function paced(test: TestContext, request: FakeRequest = {}) {
  test.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  test.mock.method(performance, 'now', () => now);
  let waiting = 0;
  const clock = new PaceClock({ set: (value) => (waiting = value) });
  const inner = new FakeExchange(request);
  const exchange = new PacedExchange(inner, rate, clock);
  const pass = (milliseconds: number): void => {
    for (let elapsed = 0; elapsed < milliseconds; elapsed += 100) {
      now += 100;
      test.mock.timers.tick(100);
    }
  };
  return { inner, exchange, clock, pass, waiting: () => waiting };
}

test('a body goes out with a first second at once, then at its rate', (context) => {
  const { inner, exchange, clock, pass } = paced(context);
  let drained = 0;
  exchange.onDrain = () => drained++;
  assert.equal(exchange.stream(ok, 3000, Buffer.alloc(3000, 'x')), false);
  assert.equal(inner.bytesSent, 1000);
  pass(500);
  assert.equal(inner.bytesSent, 1500);
  assert.equal(drained, 0);
  pass(1500);
  assert.equal(inner.bytesSent, 3000);
  assert.equal(drained, 1);
  assert.equal(clock.size, 0);
  assert.ok(inner.complete);
});

test('many small chunks count together', (context) => {
  const { inner, exchange, pass } = paced(context);
  let left = 20;
  const writeOn = (): void => {
    while (left > 0) {
      left--;
      if (!exchange.write(Buffer.alloc(100, 'y'))) return;
    }
    exchange.end();
  };
  exchange.onDrain = writeOn;
  exchange.stream(ok, undefined);
  writeOn();
  assert.equal(inner.bytesSent, 1000);
  pass(400);
  assert.equal(inner.bytesSent, 1400);
  pass(700);
  assert.equal(inner.bytesSent, 2000);
  assert.ok(inner.complete);
});

test('a whole response is slowed down too, and a small one is not', (context) => {
  const { inner, exchange, pass } = paced(context);
  exchange.respond(ok, Buffer.alloc(1500));
  assert.ok(!inner.complete);
  pass(500);
  assert.ok(inner.complete);
  const small = new FakeExchange();
  new PacedExchange(small, rate, new PaceClock({ set: () => {} })).respond(ok, Buffer.alloc(1000));
  assert.ok(small.complete);
  assert.equal(small.streamed, false);
});

test('a client that is slower still holds the rest back', (context) => {
  const { inner, exchange, pass } = paced(context);
  let drained = false;
  exchange.onDrain = () => (drained = true);
  inner.stall(500);
  exchange.stream(ok, 1000, Buffer.alloc(1000));
  pass(5000);
  assert.equal(drained, false);
  inner.drain();
  assert.equal(drained, true);
  assert.equal(inner.bytesSent, 1000);
});

test('the clock forgets a client that has gone', (context) => {
  const { inner, exchange, clock, pass, waiting } = paced(context);
  exchange.stream(ok, 5000, Buffer.alloc(5000));
  assert.equal(clock.size, 1);
  assert.equal(waiting(), 1);
  inner.disconnect();
  pass(100);
  assert.equal(clock.size, 0);
  assert.equal(waiting(), 0);
});

test('HEAD waits for nothing', (context) => {
  const { inner, exchange } = paced(context, { method: 'HEAD' });
  exchange.stream(ok, 1_000_000);
  assert.ok(inner.complete);
});

test('another rate takes the place of the former, 0 takes it away', (context) => {
  const { inner, exchange, clock } = paced(context);
  assert.equal(limitRate(exchange, 0, clock), exchange);
  exchange.respond(ok, Buffer.alloc(100_000));
  assert.ok(inner.complete);
  const plain = new FakeExchange();
  assert.equal(limitRate(plain, 0, clock), plain);
});

test('however chunks, rates, stalls and copies fall, the bytes arrive whole and in order', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  // A mock would remember each of very many calls.
  const { now: realNow } = performance;
  context.after(() => (performance.now = realNow));
  performance.now = () => now;
  const step = fc.record({
    size: fc.integer({ min: 1, max: 700 }),
    stalls: fc.boolean(),
    copies: fc.boolean(),
    waits: fc.integer({ min: 0, max: 15 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 900 }), (steps, bytes) => {
      const inner = new FakeExchange();
      const exchange = new PacedExchange(inner, bytes, new PaceClock({ set: () => {} }));
      const expected: Buffer[] = [];
      const writer = { free: true };
      exchange.onDrain = () => (writer.free = true);
      const settle = (): void => {
        for (let turn = 0; turn < 100 && !writer.free; turn++) {
          inner.stall(Number.POSITIVE_INFINITY);
          inner.drain();
          now += 100_000;
          context.mock.timers.tick(100);
        }
        assert.ok(writer.free);
      };
      exchange.stream(ok, undefined);
      for (const [index, { size, stalls, copies, waits }] of steps.entries()) {
        const chunk = Buffer.alloc(size, index + 65);
        expected.push(Buffer.from(chunk));
        if (stalls) inner.stall(10);
        writer.free = exchange.write(chunk);
        // Once the memory is free it is used for something else.
        if (!writer.free && copies) exchange.copyHeld();
        if (writer.free || copies) chunk.fill(0);
        now += waits * 100;
        context.mock.timers.tick(waits * 100);
        settle();
        chunk.fill(0);
      }
      exchange.end();
      assert.ok(inner.complete);
      assert.deepEqual(inner.responseBody, Buffer.concat(expected));
    }),
    { numRuns: 150 },
  );
});
