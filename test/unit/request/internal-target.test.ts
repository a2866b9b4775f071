import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseInternalTarget } from '../../../src/request/internal-target.ts';

test('a path is decoded once, and its query left alone', () => {
  assert.deepEqual(parseInternalTarget('/a%20b%2525?x=%2F&y'), {
    path: '/a b%25',
    rawPath: '/a%20b%2525',
    query: 'x=%2F&y',
  });
});

test('what could not stand in a request line is encoded for it', () => {
  assert.deepEqual(parseInternalTarget('/a b/gr\xc3\xbcn?q=\xfc r'), {
    path: '/a b/grün',
    rawPath: '/a%20b/gr%C3%BCn',
    query: 'q=%fc%20r',
  });
});

for (const value of [
  '',
  'a',
  '@name',
  '*',
  '?x',
  '//..',
  '/a/..',
  '/%2E%2e/b',
  '/a%2Fb',
  '/a%00',
  '/\x01',
  '/a\\b',
  '/%1',
]) {
  test(`${JSON.stringify(value)} is refused`, () => {
    assert.equal(parseInternalTarget(value), undefined);
  });
}

test('whatever is accepted is a path without dot segments, and fit for a request line', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2f',
    '%00',
    '%',
    'a',
    '?',
    '\\',
    ' ',
    '\xff',
    '\r\n',
    '%5c',
    '%c3%a4',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const target = parseInternalTarget(`/${pieces.join('')}`);
      if (target === undefined) return;
      assert.match(target.path, /^\//);
      assert.ok(!target.path.split('/').some((segment) => segment === '..' || segment === '.'), target.path);
      assert.match(target.rawPath + (target.query ?? ''), /^[\x21-\x7e]*$/);
    }),
    { numRuns: 2000 },
  );
});
