import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from '../../../src/http/date.ts';

const now = Date.UTC(2026, 10, 22) / 1000;

describe('parseHttpDate', () => {
  it('reads the three forms of RFC 9110', () => {
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      assert.equal(parseHttpDate(text, now), 784_111_777, text);
    }
  });

  it('puts two-digit years at most fifty years ahead', () => {
    const yearOf = (text: string) => new Date((parseHttpDate(text, now) ?? 0) * 1000).getUTCFullYear();
    assert.equal(yearOf('Friday, 01-Jan-76 00:00:00 GMT'), 2076);
    assert.equal(yearOf('Friday, 01-Jan-77 00:00:00 GMT'), 1977);
    assert.equal(yearOf('Friday, 01-Jan-99 00:00:00 GMT'), 1999);
  });

  it('refuses what is no valid date', () => {
    for (const text of [
      '',
      '0',
      '784111777',
      'Sun, 06 Nov 1994 08:49:37',
      'Sun, 06 Nov 1994 08:49:37 UTC',
      'Sun, 6 Nov 1994 08:49:37 GMT',
      'sun, 06 Nov 1994 08:49:37 GMT',
      'Sun, 06 Nov 1994 24:49:37 GMT',
      'Sun, 06 Nov 1994 08:60:37 GMT',
      'Sun, 31 Feb 1994 08:49:37 GMT',
      'Sun, 00 Jan 1994 08:49:37 GMT',
      'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
      '1994-11-06T08:49:37Z',
    ]) {
      assert.equal(parseHttpDate(text, now), undefined, text);
    }
  });

  it('reads back every date that formatHttpDate writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        assert.equal(parseHttpDate(formatHttpDate(seconds), now), seconds);
      }),
    );
  });
});
