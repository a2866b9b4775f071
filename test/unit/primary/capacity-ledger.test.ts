import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CapacityOrder } from '../../../src/ipc/message.ts';
import { CapacityLedger } from '../../../src/primary/capacity-ledger.ts';

const key = 'app 127.0.0.1:8000';

/** Workers as the ledger sees them, with messages that are delivered in order and late. */
class Workers {
  readonly ledger: CapacityLedger;
  readonly held = new Map<number, number>();
  readonly recalled = new Map<number, number>();
  private readonly inbox: [number, CapacityOrder][] = [];

  constructor() {
    this.ledger = new CapacityLedger((worker, order) => this.inbox.push([worker, order]));
  }

  told(worker: number, limit: number, wanted: number, returned = 0): void {
    this.held.set(worker, this.of(worker) - returned);
    this.recalled.set(worker, Math.max(0, (this.recalled.get(worker) ?? 0) - returned));
    this.ledger.told(worker, { key, limit, wanted, returned });
  }

  deliver(): void {
    for (const [worker, { granted, recalled }] of this.inbox.splice(0)) {
      this.held.set(worker, (this.held.get(worker) ?? 0) + granted);
      this.recalled.set(worker, recalled);
    }
  }

  /** Gives back what is recalled of each, still wanting as much as before. @returns whether there was anything */
  obey(limit: number, wanted: ReadonlyMap<number, number>): boolean {
    let changed = false;
    for (const [worker, count] of this.recalled) {
      const returned = Math.min(count, this.held.get(worker) ?? 0);
      if (returned === 0) continue;
      changed = true;
      this.told(worker, limit, wanted.get(worker) ?? 0, returned);
    }
    this.deliver();
    return changed;
  }

  of(worker: number): number {
    return this.held.get(worker) ?? 0;
  }
}

describe('the ledger of capacity', () => {
  test('gives a worker what it wants as long as there is any', () => {
    const workers = new Workers();
    workers.told(1, 5, 3);
    workers.told(2, 5, 4);
    workers.deliver();
    assert.equal(workers.of(1), 3);
    assert.equal(workers.of(2), 2);
  });

  test('recalls what one has beyond its share when another one lacks it', () => {
    const workers = new Workers();
    workers.told(1, 4, 4);
    workers.deliver();
    workers.told(2, 4, 4);
    workers.deliver();
    assert.deepEqual([workers.of(1), workers.of(2)], [4, 0]);
    assert.equal(workers.recalled.get(1), 2);
    workers.told(1, 4, 4, 2);
    workers.deliver();
    assert.deepEqual([workers.of(1), workers.of(2)], [2, 2]);
    assert.equal(workers.recalled.get(1), 0);
  });

  test('recalls from a worker that wants less first', () => {
    const workers = new Workers();
    workers.told(1, 6, 3);
    workers.told(2, 6, 3);
    workers.deliver();
    workers.told(1, 6, 0);
    workers.told(3, 6, 3);
    workers.deliver();
    assert.equal(workers.recalled.get(1), 3);
    assert.equal(workers.recalled.get(2) ?? 0, 0);
  });

  test('lets workers take turns where there is less than one for each', () => {
    const workers = new Workers();
    const wanted = new Map([1, 2, 3].map((worker) => [worker, 5]));
    for (const worker of wanted.keys()) workers.told(worker, 1, 5);
    workers.deliver();
    const turns: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      turns.push([...wanted.keys()].find((worker) => workers.of(worker) === 1) ?? 0);
      assert.ok(workers.obey(1, wanted));
    }
    for (const worker of wanted.keys()) assert.equal(turns.filter((one) => one === worker).length, 3, turns.join(' '));
  });

  test('does not pass an odd lease about where everybody has one', () => {
    const workers = new Workers();
    const wanted = new Map([1, 2, 3].map((worker) => [worker, 5]));
    for (const worker of wanted.keys()) workers.told(worker, 4, 5);
    workers.deliver();
    while (workers.obey(4, wanted));
    assert.deepEqual([...wanted.keys()].map((worker) => workers.of(worker)).toSorted(), [1, 1, 2]);
  });

  test('has the leases of a dead worker at once', () => {
    const workers = new Workers();
    workers.told(1, 2, 2);
    workers.told(2, 2, 2);
    workers.deliver();
    assert.equal(workers.of(2), 0);
    workers.ledger.died(1);
    workers.deliver();
    assert.equal(workers.of(2), 2);
  });

  test('obeys the lowest limit while workers do not agree about it', () => {
    const workers = new Workers();
    workers.told(1, 2, 5);
    workers.told(2, 6, 5);
    workers.deliver();
    assert.equal(workers.of(1) + workers.of(2), 2);
    workers.told(1, 6, 5);
    workers.deliver();
    assert.equal(workers.of(1) + workers.of(2), 6);
  });

  test('takes leases back when the limit is lowered', () => {
    const workers = new Workers();
    const wanted = new Map([[1, 4]]);
    workers.told(1, 4, 4);
    workers.deliver();
    workers.told(1, 1, 4);
    workers.deliver();
    assert.equal(workers.recalled.get(1), 3);
    workers.obey(1, wanted);
    assert.equal(workers.of(1), 1);
  });

  test('takes a worker at its word no further than its leases go', () => {
    const workers = new Workers();
    workers.ledger.told(1, { key, limit: 2, wanted: 0, returned: 7 });
    workers.told(2, 2, 9);
    workers.deliver();
    assert.equal(workers.of(2), 2);
  });
});

const step = fc.record({
  worker: fc.integer({ min: 0, max: 4 }),
  kind: fc.constantFrom('want', 'want', 'return', 'obey', 'deliver', 'die'),
  amount: fc.integer({ min: 0, max: 6 }),
});

test('whatever workers do, no more is leased than the limit, nothing gets lost, and everybody gets a turn', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
      const workers = new Workers();
      const wanted = new Map<number, number>();
      for (const { worker, kind, amount } of steps) {
        const had = workers.of(worker);
        if (kind === 'want') {
          wanted.set(worker, amount);
          workers.told(worker, limit, amount);
        } else if (kind === 'return') {
          workers.told(worker, limit, wanted.get(worker) ?? 0, Math.min(had, amount));
        } else if (kind === 'obey') {
          workers.obey(limit, wanted);
        } else if (kind === 'die') {
          workers.deliver();
          workers.ledger.died(worker);
          workers.held.delete(worker);
          workers.recalled.delete(worker);
          wanted.delete(worker);
        } else {
          workers.deliver();
        }
        const held = [...workers.held.values()].reduce((sum, count) => sum + count, 0);
        assert.ok(workers.ledger.leased(key) <= limit);
        assert.ok(held <= workers.ledger.leased(key), 'what a worker has was leased to it');
      }
      checkFairness(workers, limit, wanted);
      checkNothingIsLost(workers, limit);
    }),
    { numRuns: 300 },
  );
});

/** With everybody wanting something and obeying, each has had a lease after a while. */
function checkFairness(workers: Workers, limit: number, wanted: Map<number, number>): void {
  workers.deliver();
  for (let worker = 0; worker < 5; worker++) {
    wanted.set(worker, 3);
    workers.told(worker, limit, 3);
  }
  workers.deliver();
  const served = new Set<number>();
  for (let round = 0; round < 20; round++) {
    for (let worker = 0; worker < 5; worker++) if (workers.of(worker) > 0) served.add(worker);
    workers.obey(limit, wanted);
  }
  assert.equal(served.size, 5);
}

function checkNothingIsLost(workers: Workers, limit: number): void {
  for (const [worker, held] of workers.held) workers.told(worker, limit, 0, held);
  workers.deliver();
  for (const [worker, held] of workers.held) if (held > 0) workers.told(worker, limit, 0, held);
  assert.equal(workers.ledger.leased(key), 0);
  workers.told(9, limit, 100);
  workers.deliver();
  assert.equal(workers.of(9), limit);
}
