import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseByteRanges, rangesLength } from '../../../src/http/range.ts';

describe('parseByteRanges', () => {
  it('reads intervals, open ends and suffixes', () => {
    assert.deepEqual(parseByteRanges('bytes=0-4', 10), [{ first: 0, last: 4 }]);
    assert.deepEqual(parseByteRanges('bytes=5-', 10), [{ first: 5, last: 9 }]);
    assert.deepEqual(parseByteRanges('bytes=-3', 10), [{ first: 7, last: 9 }]);
    assert.deepEqual(parseByteRanges('bytes=-30', 10), [{ first: 0, last: 9 }]);
    assert.deepEqual(parseByteRanges('BYTES = 2-99999999999999999999', 10), [{ first: 2, last: 9 }]);
    assert.deepEqual(parseByteRanges('bytes=0-0,,-1', 1000), [
      { first: 0, last: 0 },
      { first: 999, last: 999 },
    ]);
  });

  it('says when nothing asked for is there', () => {
    for (const value of ['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99-,100-101', 'bytes=99999999999999999999-']) {
      assert.equal(parseByteRanges(value, 10), 'unsatisfiable', value);
    }
  });

  it('ignores what breaks the grammar', () => {
    for (const value of [
      '',
      'bytes',
      'bytes=',
      'bytes=,',
      'bytes=a-b',
      'bytes=1-2-3',
      'bytes=5-4',
      'bytes=--1',
      'bytes=+1-2',
      'bytes=0x1-2',
      'bytes=1.5-2',
      'bytes=1 - 2',
      'bytes:0-1',
      'lines=0-1',
      'none',
      'bytes=0-1,x',
    ]) {
      assert.equal(parseByteRanges(value, 10), undefined, value);
    }
  });

  it('joins overlapping and near ranges, in the order asked for', () => {
    assert.deepEqual(parseByteRanges('bytes=500-599,0-9,550-700', 1000), [
      { first: 500, last: 700 },
      { first: 0, last: 9 },
    ]);
    assert.deepEqual(parseByteRanges('bytes=0-9,20-29', 1000), [{ first: 0, last: 29 }]);
  });

  it('never gives more bytes than there are, however often they are asked for', () => {
    const many = `bytes=${Array.from({ length: 64 }, () => '0-').join(',')}`;
    assert.deepEqual(parseByteRanges(many, 1000), [{ first: 0, last: 999 }]);
    const parts = parseByteRanges(
      `bytes=${Array.from({ length: 60 }, (_, i) => `${i * 100}-${i * 100 + 1}`).join()}`,
      1e6,
    );
    assert.ok(Array.isArray(parts));
    assert.equal(rangesLength(parts), 120);
  });

  it('ignores more than 64 ranges, and lists that are all commas', () => {
    assert.equal(parseByteRanges(`bytes=${'0-1,'.repeat(65)}`, 10), undefined);
    assert.equal(parseByteRanges(`bytes=${','.repeat(100_000)}`, 10), undefined);
  });

  it('answers with the whole of an empty file to a suffix', () => {
    assert.equal(parseByteRanges('bytes=-5', 0), undefined);
    assert.equal(parseByteRanges('bytes=0-', 0), 'unsatisfiable');
  });
});
