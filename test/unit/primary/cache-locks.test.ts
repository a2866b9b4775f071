import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CacheLockAnswer, CacheLockCall, FollowedResponse, ToWorker } from '../../../src/ipc/message.ts';
import { CacheLocks } from '../../../src/primary/cache-locks.ts';

class LockedWorkers {
  readonly locks = new CacheLocks();
  readonly #answers: string[] = [];

  call(worker: number, id: number, call: CacheLockCall): void {
    const send = (message: ToWorker): boolean => {
      if (message.type === 'cache-lock') this.#answers.push(`${worker}.${message.id} ${words(message.answer)}`);
      return true;
    };
    this.locks.told({ send }, id, call, worker);
  }

  ask(worker: number, id: number, key = 'k', wait = true, lookedAt = Date.now()): void {
    this.call(worker, id, { kind: 'ask', zone: 'z', key, wait, lookedAt });
  }

  /** What was said since the last time. */
  get said(): string[] {
    return this.#answers.splice(0);
  }
}

function words(answer: CacheLockAnswer): string {
  return answer.kind === 'progress' ? `progress ${answer.written}${answer.complete ? ' complete' : ''}` : answer.kind;
}

const response = { written: 0 } as FollowedResponse;

describe('the locks of the cache', () => {
  test('are held by one worker for each key, and go on to the next when it fails', () => {
    const workers = new LockedWorkers();
    workers.ask(1, 1);
    workers.ask(2, 7);
    workers.ask(1, 2, 'other');
    assert.deepEqual(workers.said, ['1.1 granted', '2.7 waits', '1.1 wanted', '1.2 granted']);
    workers.call(1, 1, { kind: 'end', end: { how: 'failed' } });
    assert.deepEqual(workers.said, ['2.7 granted']);
    workers.call(2, 7, { kind: 'end', end: { how: 'failed' } });
    workers.call(1, 2, { kind: 'end', end: { how: 'failed' } });
    assert.equal(workers.locks.size, 0);
  });

  test('tell all who wait when it is stored, and those who had looked before that', () => {
    const workers = new LockedWorkers();
    const before = Date.now() - 1;
    workers.ask(1, 1);
    workers.ask(2, 1);
    workers.ask(3, 1);
    workers.call(1, 1, { kind: 'end', end: { how: 'stored' } });
    assert.deepEqual(workers.said.slice(-2), ['2.1 stored', '3.1 stored']);
    workers.ask(2, 2, 'k', true, before);
    workers.ask(2, 3, 'k', true, Date.now() + 1000);
    assert.deepEqual(workers.said, ['2.2 stored', '2.3 granted']);
  });

  test('release everybody when it cannot be stored', () => {
    const workers = new LockedWorkers();
    workers.ask(1, 1);
    workers.ask(2, 1);
    workers.ask(2, 2, 'k', false);
    workers.call(1, 1, { kind: 'end', end: { how: 'uncacheable', rememberMs: 10 } });
    assert.deepEqual(workers.said, ['1.1 granted', '2.1 waits', '1.1 wanted', '2.2 busy', '2.1 uncacheable']);
    assert.equal(workers.locks.size, 0);
  });

  test('let others read along, also those who come late', () => {
    const workers = new LockedWorkers();
    workers.ask(1, 1);
    workers.ask(2, 1);
    workers.call(1, 1, { kind: 'offer', response });
    workers.call(1, 1, { kind: 'progress', written: 5, complete: false });
    workers.ask(3, 1);
    workers.call(1, 1, { kind: 'progress', written: 9, complete: true });
    assert.deepEqual(workers.said.slice(3), [
      '2.1 following',
      '2.1 progress 5',
      '3.1 waits',
      '3.1 following',
      '2.1 progress 9 complete',
      '3.1 progress 9 complete',
    ]);
  });

  test('of a worker that dies go to the next, and what was read along is lost', () => {
    const workers = new LockedWorkers();
    workers.ask(1, 1);
    workers.ask(2, 1);
    workers.ask(3, 1);
    workers.call(1, 1, { kind: 'offer', response });
    workers.locks.died(2);
    workers.locks.died(1);
    assert.deepEqual(workers.said.slice(-2), ['3.1 lost', '3.1 granted']);
    workers.locks.died(3);
    assert.equal(workers.locks.size, 0);
  });

  test('are not what a worker says that does not hold them', () => {
    const workers = new LockedWorkers();
    workers.ask(1, 1);
    workers.ask(2, 1);
    workers.call(2, 1, { kind: 'offer', response });
    workers.call(2, 1, { kind: 'end', end: { how: 'stored' } });
    workers.call(3, 9, { kind: 'end', end: { how: 'stored' } });
    assert.deepEqual(workers.said, ['1.1 granted', '2.1 waits', '1.1 wanted']);
    assert.equal(workers.locks.size, 1);
  });
});
