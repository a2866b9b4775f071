import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Waiting, WaitingLine } from '../../../src/balancer/waiting-line.ts';

class Guest implements Waiting {
  readonly number: number;
  waitingSince: number | undefined;
  place: Waiting['place'];

  constructor(number: number) {
    this.number = number;
  }
}

test('first come, first served; who comes back gets to where it was', () => {
  const line = new WaitingLine<Guest>();
  const [a, b, c] = [new Guest(1), new Guest(2), new Guest(3)] as const;
  line.join(a, 10);
  line.join(b, 20);
  line.join(c, 30);
  assert.equal(line.leave(a), true);
  assert.equal(line.leave(a), false);
  assert.equal(line.first, b);
  line.join(a, 40);
  assert.deepEqual(line.all(), [a, b, c]);
  line.leave(b);
  assert.deepEqual(line.all(), [a, c]);
  assert.equal(line.size, 2);
});

test('it is the same as a list sorted by arrival', () => {
  const step = fc.tuple(fc.constantFrom('join', 'join', 'leave', 'serve'), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const line = new WaitingLine<Guest>();
      const guests = Array.from({ length: 10 }, (_, number) => new Guest(number));
      let model: Guest[] = [];
      steps.forEach(([kind, number], now) => {
        const guest = kind === 'serve' ? line.first : guests[number];
        if (guest === undefined) return;
        if (kind === 'join') {
          if (model.includes(guest)) return;
          line.join(guest, now);
          model = [...model, guest].toSorted((one, two) => (one.waitingSince ?? 0) - (two.waitingSince ?? 0));
        } else {
          assert.equal(line.leave(guest), model.includes(guest));
          model = model.filter((one) => one !== guest);
        }
        assert.deepEqual(
          line.all().map((one) => one.number),
          model.map((one) => one.number),
        );
        assert.equal(line.size, model.length);
        assert.equal(line.first, model[0]);
      });
    }),
  );
});
