import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseVary } from '../../../src/http/vary.ts';

describe('parseVary', () => {
  it('gives the names of all fields in lower case, sorted, each once', () => {
    assert.deepEqual(parseVary([]), []);
    assert.deepEqual(parseVary(['', ' , ']), []);
    assert.deepEqual(parseVary(['Cookie,Accept-Language', 'accept , COOKIE']), ['accept', 'accept-language', 'cookie']);
  });

  it('says that anything counts when it cannot be sure', () => {
    assert.equal(parseVary(['*']), '*');
    assert.equal(parseVary(['Cookie', 'Accept, *']), '*');
    for (const value of ['a b', 'a:b', 'a\u00e4', '"a"']) assert.equal(parseVary([`${value}, b`]), '*', value);
  });

  it('bounds the names that it keeps', () => {
    const names = Array.from({ length: 33 }, (_value, index) => `x-${index}`);
    assert.equal(parseVary([names.slice(0, 32).join()]).length, 32);
    assert.equal(parseVary([names.join()]), '*');
    assert.equal(parseVary(names), '*');
    assert.equal(parseVary(['x,'.repeat(1e5)]).length, 1);
  });
});
