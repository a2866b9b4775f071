import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mostDeltaSeconds, parseDeltaSeconds } from '../../../src/http/delta-seconds.ts';

describe('parseDeltaSeconds', () => {
  it('reads digits', () => {
    assert.equal(parseDeltaSeconds('0'), 0);
    assert.equal(parseDeltaSeconds('007'), 7);
    assert.equal(parseDeltaSeconds('86400'), 86_400);
  });

  it('takes what is too large for the most', () => {
    assert.equal(parseDeltaSeconds('2147483647'), 2_147_483_647);
    assert.equal(parseDeltaSeconds('2147483649'), mostDeltaSeconds);
    assert.equal(parseDeltaSeconds('9'.repeat(1000)), mostDeltaSeconds);
  });

  it('refuses everything else', () => {
    for (const text of [
      '',
      ' 1',
      '1 ',
      '-1',
      '+1',
      '1.0',
      '1e3',
      '0x1',
      'abc',
      '1,2',
      '\u0661',
      '9'.repeat(99).concat('x'),
    ]) {
      assert.equal(parseDeltaSeconds(text), undefined, text);
    }
  });
});
