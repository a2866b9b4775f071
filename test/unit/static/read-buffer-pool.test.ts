import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import {
  largestPiece,
  type ReadBuffer,
  ReadBufferPool,
  type ReadBufferWaiter,
  smallestPiece,
} from '../../../src/static/read-buffer-pool.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { waitFor } from '../../support/wait-for.ts';

const megabyte = 1024 ** 2;

function drainPool(pool: ReadBufferPool, wanted: number): ReadBuffer[] {
  const buffers: ReadBuffer[] = [];
  for (let buffer = pool.tryAcquire(wanted); buffer !== undefined; buffer = pool.tryAcquire(wanted))
    buffers.push(buffer);
  return buffers;
}

class Waiter implements ReadBufferWaiter {
  readonly log: string[];
  readonly name: string;
  buffer: ReadBuffer | undefined;
  constructor(log: string[], name: string) {
    this.log = log;
    this.name = name;
  }
  granted(buffer: ReadBuffer): void {
    this.buffer = buffer;
    this.log.push(this.name);
  }
  timedOut(): void {
    this.log.push(`${this.name} timed out`);
  }
}

describe('ReadBufferPool', () => {
  it('never lends or allocates more than its bound, whatever is asked for', () => {
    const recorder = new FakeRecorder();
    const pool = new ReadBufferPool(4 * megabyte, recorder);
    for (const wanted of [largestPiece, 300_000, 70_000, 1]) {
      const buffers = drainPool(pool, wanted);
      assert.ok(pool.lent <= 4 * megabyte);
      assert.ok(recorder.value(metricNames.fileReadBufferBytes) <= 4 * megabyte);
      assert.equal(new Set(buffers.map((buffer) => buffer.memory)).size, buffers.length, 'no piece is lent twice');
      for (const buffer of buffers) pool.release(buffer);
      assert.equal(pool.lent, 0);
    }
  });

  it('keeps room for hundreds of small pieces when greedy readers hold all they can get', () => {
    const pool = new ReadBufferPool(32 * megabyte, new FakeRecorder());
    const greedy: ReadBuffer[] = [];
    for (let buffer = pool.tryAcquire(largestPiece); buffer !== undefined; buffer = pool.tryAcquire(largestPiece)) {
      if (buffer.memory.length === smallestPiece) {
        pool.release(buffer);
        break;
      }
      greedy.push(buffer);
    }
    assert.ok(greedy.length > 20);
    assert.ok(drainPool(pool, smallestPiece).length >= 500);
  });

  for (const [size, readers] of [
    [1, 64],
    [2, 65],
    [4, 80],
  ] as const) {
    it(`has a piece for each of ${readers} readers who take what they can get, in ${size} MB`, () => {
      const pool = new ReadBufferPool(size * megabyte, new FakeRecorder());
      for (let reader = 0; reader < readers; reader++) {
        assert.ok(pool.tryAcquire(largestPiece) !== undefined, `reader ${reader}`);
      }
    });
  }

  it('gives large pieces again after small ones came back', () => {
    const pool = new ReadBufferPool(4 * megabyte, new FakeRecorder());
    for (const buffer of drainPool(pool, 1)) pool.release(buffer);
    assert.equal(pool.tryAcquire(largestPiece)?.memory.length, largestPiece);
  });

  it('serves those who wait in their order, and nobody before them', () => {
    const pool = new ReadBufferPool(megabyte, new FakeRecorder());
    const buffers = drainPool(pool, 1);
    const log: string[] = [];
    const waiters = ['a', 'b', 'c'].map((name) => new Waiter(log, name));
    for (const waiter of waiters) pool.wait(waiter);
    pool.cancel(waiters[1] as Waiter);
    pool.release(buffers.pop() as ReadBuffer);
    assert.deepEqual(log, ['a']);
    assert.equal(pool.tryAcquire(1), undefined);
    pool.release(buffers.pop() as ReadBuffer);
    assert.deepEqual(log, ['a', 'c']);
    assert.equal(pool.waiting, 0);
  });

  it('tells those who waited too long', async () => {
    const pool = new ReadBufferPool(megabyte, new FakeRecorder(), 20);
    drainPool(pool, 1);
    const log: string[] = [];
    pool.wait(new Waiter(log, 'a'));
    await waitFor(() => log.length > 0, 'the end of the wait');
    assert.deepEqual(log, ['a timed out']);
    assert.equal(pool.waiting, 0);
  });

  it('takes a smaller bound at once for what is free and a larger one for those who wait', () => {
    const pool = new ReadBufferPool(megabyte, new FakeRecorder());
    drainPool(pool, 1);
    const log: string[] = [];
    pool.wait(new Waiter(log, 'a'));
    pool.configure(2 * megabyte);
    assert.deepEqual(log, ['a']);
  });
});
