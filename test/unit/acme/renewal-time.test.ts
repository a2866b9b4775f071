import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renewalTime, timeInWindow } from '../../../src/acme/renewal-time.ts';

describe('the time of a renewal', () => {
  test('is that part of the lifetime, up to two percent earlier', () => {
    const validity = { notBefore: 1000, notAfter: 2000 };
    assert.equal(renewalTime(validity, 66, 0), 1660);
    assert.equal(renewalTime(validity, 66, 1), 1640);
  });

  test('lies in the window that is suggested', () => {
    assert.equal(timeInWindow({ start: 10, end: 20 }, 0), 10);
    assert.equal(timeInWindow({ start: 10, end: 20 }, 0.5), 15);
    assert.equal(timeInWindow({ start: 10, end: 10 }, 0.9), 10);
  });
});
