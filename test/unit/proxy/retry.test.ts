import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FailedTry, mayRetry } from '../../../src/proxy/retry.ts';

const failed: FailedTry = { method: 'GET', hasBody: false, sent: true, resent: false, tries: 1, servers: 2 };

describe('a failed request', () => {
  test('that was not sent is tried again, whatever it is', () => {
    assert.equal(mayRetry({ ...failed, method: 'POST', hasBody: true, sent: false }), true);
    assert.equal(mayRetry({ ...failed, sent: false, resent: true }), true);
  });

  test('that was sent is tried again once when it is idempotent and has no body', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']) {
      assert.equal(mayRetry({ ...failed, method }), true, method);
      assert.equal(mayRetry({ ...failed, method, resent: true }), false, method);
      assert.equal(mayRetry({ ...failed, method, hasBody: true }), false, method);
    }
    for (const method of ['POST', 'PATCH', 'get', 'LOCK']) assert.equal(mayRetry({ ...failed, method }), false, method);
  });

  test('is not tried more often than once more than there are servers', () => {
    assert.equal(mayRetry({ ...failed, sent: false, tries: 2 }), true);
    assert.equal(mayRetry({ ...failed, sent: false, tries: 3 }), false);
  });
});
