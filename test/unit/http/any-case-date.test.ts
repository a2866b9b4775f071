import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAnyCaseDate } from '../../../src/http/any-case-date.ts';

const now = 1_795_348_800;

describe('parseAnyCaseDate', () => {
  it('reads all forms in all cases', () => {
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      for (const form of [text, text.toUpperCase(), text.toLowerCase()]) {
        assert.equal(parseAnyCaseDate(form, now), 784_111_777, form);
      }
    }
  });

  it('refuses what is no date in any case', () => {
    for (const text of ['', '0', 'sun, 06 nov 1994 08:49:37 utc', 'SUN, 06 NOV 1994 08:49 GMT', 'x'.repeat(1e6)]) {
      assert.equal(parseAnyCaseDate(text, now), undefined);
    }
  });
});
