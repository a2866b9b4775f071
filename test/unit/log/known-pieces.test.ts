import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KnownPieces } from '../../../src/log/known-pieces.ts';

/** Pieces that tell their value and bound, and how often one was made. */
function pieces(): { made: () => number; of: (value?: string, maxLength?: number) => string } {
  let count = 0;
  const known = new KnownPieces((value, maxLength) => {
    count += 1;
    return `<${value.slice(0, maxLength)}>`;
  });
  return { made: () => count, of: (value, maxLength) => known.of(value, maxLength) };
}

test('a value that comes again is not looked through again', () => {
  const { made, of } = pieces();
  of('Mozilla/5.0 (X11; Linux x86_64)', 2048);
  const before = made();
  for (let index = 0; index < 10; index++) {
    assert.equal(of('Mozilla/5.0 (X11; Linux x86_64)', 2048), '<Mozilla/5.0 (X11; Linux x86_64)>');
  }
  assert.equal(made(), before);
});

test('whatever came before, each value gets its own piece', () => {
  const { of } = pieces();
  // Few letters and lengths, so that many values share a place.
  const value = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 40 }), (values) => {
      for (const one of values) assert.equal(of(one, 2048), `<${one}>`);
    }),
  );
});

test('a value that must be cut is neither remembered nor found', () => {
  const { of } = pieces();
  assert.equal(of('abcdefghij', 4), '<abcd>');
  assert.equal(of('abcdefghij', 2048), '<abcdefghij>');
  assert.equal(of('abcdefghij', 4), '<abcd>');
});

test('long values are not kept in memory', () => {
  const { made, of } = pieces();
  const long = 'x'.repeat(513);
  of(long, 2048);
  const before = made();
  assert.equal(of(long, 2048), `<${long}>`);
  assert.equal(made(), before + 1);
});

test('a field that is not there is as an empty one', () => {
  const { of } = pieces();
  assert.equal(of(undefined, 2048), '<>');
  assert.equal(of('', 2048), '<>');
});
