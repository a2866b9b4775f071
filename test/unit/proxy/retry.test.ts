import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FailedTry, mayRetry, type RetryReason } from '../../../src/proxy/retry.ts';

const failed: FailedTry = {
  reason: 'reset',
  method: 'GET',
  replayable: true,
  sent: true,
  sendings: 1,
  stale: false,
  tries: 1,
  servers: 2,
  another: true,
  waits: false,
};
const all: readonly RetryReason[] = ['connect', 'reset', 'timeout', 502, 503, 504];
const rules = { on: [...all], attempts: 3 };
const defaults = { on: ['connect', 'reset'] as RetryReason[], attempts: 3 };

describe('a failed request of which nothing was sent', () => {
  const unsent: FailedTry = { ...failed, reason: 'connect', sent: false, sendings: 0 };

  test('is tried again, whatever it is', () => {
    assert.equal(mayRetry({ ...unsent, method: 'POST', replayable: false }, defaults), 'yes');
  });

  test('is not tried more often than once more than there are servers', () => {
    assert.equal(mayRetry({ ...unsent, tries: 2 }, defaults), 'yes');
    assert.equal(mayRetry({ ...unsent, tries: 3 }, defaults), 'no');
  });

  test('is tried again after others that did send something, which say nothing about connecting', () => {
    assert.equal(mayRetry({ ...unsent, tries: 3, sendings: 2 }, defaults), 'yes');
    assert.equal(mayRetry({ ...unsent, tries: 5, sendings: 2 }, defaults), 'no');
  });

  test('is tried as long as it can wait for a server to be back', () => {
    assert.equal(mayRetry({ ...unsent, tries: 100, waits: true }, defaults), 'yes');
    assert.equal(mayRetry({ ...unsent, tries: 100, waits: true }, { ...rules, on: [] }), 'yes');
  });

  test('is not tried again where the rules do not say so', () => {
    assert.equal(mayRetry(unsent, { ...rules, on: ['reset'] }), 'no');
  });
});

describe('a failed request that was sent', () => {
  test('is sent again within the budget when it is idempotent', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']) {
      assert.equal(mayRetry({ ...failed, method }, defaults), 'budgeted', method);
    }
  });

  test('is never sent again when it is not', () => {
    for (const method of ['POST', 'PATCH', 'get', 'LOCK']) {
      for (const reason of all) assert.equal(mayRetry({ ...failed, method, reason }, rules), 'no', method);
      assert.equal(mayRetry({ ...failed, method, stale: true }, rules), 'no', method);
    }
  });

  test('is never sent again when its body was streamed away', () => {
    for (const reason of all) assert.equal(mayRetry({ ...failed, reason, replayable: false }, rules), 'no');
    assert.equal(mayRetry({ ...failed, replayable: false, stale: true }, rules), 'no');
  });

  test('is sent no more often than `attempts`', () => {
    assert.equal(mayRetry({ ...failed, sendings: 2 }, rules), 'budgeted');
    assert.equal(mayRetry({ ...failed, sendings: 3 }, rules), 'no');
    assert.equal(mayRetry(failed, { ...rules, attempts: 1 }), 'no');
  });

  test('over a kept connection that was found dead is sent again once without a budget and whatever the rules', () => {
    assert.equal(mayRetry({ ...failed, stale: true }, { on: [], attempts: 1 }), 'yes');
  });

  test('is sent again for a timeout or a status only when configured, and only to another server', () => {
    for (const reason of ['timeout', 502, 503, 504] as const) {
      assert.equal(mayRetry({ ...failed, reason }, defaults), 'no');
      assert.equal(mayRetry({ ...failed, reason }, rules), 'budgeted');
      assert.equal(mayRetry({ ...failed, reason, another: false }, rules), 'no');
    }
    assert.equal(
      mayRetry({ ...failed, another: false }, rules),
      'budgeted',
      'a reset may be of a server that restarts',
    );
  });
});
