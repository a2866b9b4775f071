import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAge } from '../../../src/http/age.ts';

describe('parseAge', () => {
  it('reads the first member', () => {
    assert.equal(parseAge('12'), 12);
    assert.equal(parseAge(' 12 , 40'), 12);
  });

  it('ignores what is no whole number of seconds', () => {
    for (const text of ['', '-1', 'old', '1.5', ', 12', 'x, 12']) assert.equal(parseAge(text), undefined, text);
  });
});
