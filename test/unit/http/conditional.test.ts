import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluatePreconditions, ifRangeHolds, type Preconditions } from '../../../src/http/conditional.ts';
import { formatHttpDate } from '../../../src/http/date.ts';

const now = 1_800_000_000;
const file = { etag: '"a"', lastModified: now - 100 };
const at = formatHttpDate(file.lastModified);
const before = formatHttpDate(file.lastModified - 1);
const after = formatHttpDate(file.lastModified + 1);

function evaluate(request: Partial<Preconditions>) {
  const none = { ifMatch: undefined, ifUnmodifiedSince: undefined, ifNoneMatch: undefined, ifModifiedSince: undefined };
  return evaluatePreconditions({ ...none, ...request }, file, now);
}

describe('evaluatePreconditions', () => {
  it('lets a request without preconditions proceed', () => assert.equal(evaluate({}), 'proceed'));

  it('fails If-Match that names another tag, or the right one weakly', () => {
    assert.equal(evaluate({ ifMatch: '"b"' }), 'failed');
    assert.equal(evaluate({ ifMatch: 'W/"a"' }), 'failed');
    assert.equal(evaluate({ ifMatch: '"b", "a"' }), 'proceed');
    assert.equal(evaluate({ ifMatch: '*' }), 'proceed');
  });

  it('ignores If-Unmodified-Since beside If-Match', () => {
    assert.equal(evaluate({ ifMatch: '"a"', ifUnmodifiedSince: before }), 'proceed');
    assert.equal(evaluate({ ifUnmodifiedSince: before }), 'failed');
    assert.equal(evaluate({ ifUnmodifiedSince: at }), 'proceed');
    assert.equal(evaluate({ ifUnmodifiedSince: 'yesterday' }), 'proceed');
  });

  it('ignores If-Modified-Since beside If-None-Match', () => {
    assert.equal(evaluate({ ifNoneMatch: '"b"', ifModifiedSince: after }), 'proceed');
    assert.equal(evaluate({ ifNoneMatch: 'W/"a"', ifModifiedSince: before }), 'not-modified');
    assert.equal(evaluate({ ifModifiedSince: at }), 'not-modified');
    assert.equal(evaluate({ ifModifiedSince: after }), 'not-modified');
    assert.equal(evaluate({ ifModifiedSince: before }), 'proceed');
    assert.equal(evaluate({ ifModifiedSince: 'never' }), 'proceed');
  });

  it('asks If-Match before If-None-Match', () => {
    assert.equal(evaluate({ ifMatch: '"b"', ifNoneMatch: '"a"' }), 'failed');
    assert.equal(evaluate({ ifMatch: '"a"', ifNoneMatch: '"a"' }), 'not-modified');
  });
});

describe('ifRangeHolds', () => {
  it('takes a strong tag that matches, or the exact date', () => {
    assert.equal(ifRangeHolds(undefined, file, now), true);
    assert.equal(ifRangeHolds('"a"', file, now), true);
    assert.equal(ifRangeHolds(at, file, now), true);
    for (const value of ['W/"a"', '"b"', before, after, '*', '', 'nonsense']) {
      assert.equal(ifRangeHolds(value, file, now), false, value);
    }
  });

  it('does not take the date of a file that changed in this very second', () => {
    assert.equal(ifRangeHolds(at, file, file.lastModified + 0.5), false);
  });
});
