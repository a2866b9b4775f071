import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { namedByConnection } from '../../../src/http/hop-by-hop.ts';

describe('a Connection field', () => {
  test('that names no field names none', () => {
    for (const value of [undefined, 'keep-alive', 'close', '', 'Keep-Alive , CLOSE,', ' , ']) {
      assert.equal(namedByConnection(value), undefined, value);
    }
  });

  test('names fields in any case, among other options', () => {
    assert.deepEqual(namedByConnection('close, X-A ,upgrade'), new Set(['x-a', 'upgrade']));
  });
});
