import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesEntityTag, parseEntityTag } from '../../../src/http/etag.ts';

describe('matchesEntityTag', () => {
  const cases: [list: string, current: string, strong: boolean, weak: boolean][] = [
    ['"a"', '"a"', true, true],
    ['W/"a"', '"a"', false, true],
    ['"a"', 'W/"a"', false, true],
    ['W/"a"', 'W/"a"', false, true],
    ['"b"', '"a"', false, false],
    ['*', '"a"', true, true],
    [' * ', '"a"', true, true],
    ['"x", "a" , "y"', '"a"', true, true],
    ['"x",,\t"a"', '"a"', true, true],
    ['"x, \\"a\\""', '"a"', false, false],
    ['"a,b"', '"a,b"', true, true],
    ['"x,"a"', '"a"', false, false],
    ['a', '"a"', false, false],
    ['"a', '"a"', false, false],
    ['w/"a"', '"a"', false, false],
    ['', '"a"', false, false],
    ['"A"', '"a"', false, false],
  ];
  for (const [list, current, strong, weak] of cases) {
    it(`compares ${list} with ${current}`, () => {
      assert.equal(matchesEntityTag(list, current, 'strong'), strong);
      assert.equal(matchesEntityTag(list, current, 'weak'), weak);
    });
  }

  it('stays linear on a hostile list', () => {
    const list = 'W/"'.repeat(20_000);
    assert.equal(matchesEntityTag(list, '"a"', 'weak'), false);
  });
});

describe('parseEntityTag', () => {
  it('takes a tag that fills the value and nothing else', () => {
    assert.deepEqual(parseEntityTag('W/"a"'), { weak: true, opaque: '"a"' });
    assert.deepEqual(parseEntityTag('""'), { weak: false, opaque: '""' });
    for (const text of ['', 'a', '"a" ', '"a", "b"', '"a b"', '"a"b"', 'W/ "a"']) {
      assert.equal(parseEntityTag(text), undefined, text);
    }
  });
});
