import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import rangeParser from 'range-parser';
import { parseByteRanges, rangesLength } from '../../../src/http/range.ts';

const size = fc.integer({ min: 1, max: 100_000 });
const position = fc.integer({ min: 0, max: 120_000 });
const spec = fc.oneof(
  fc.tuple(position, fc.nat({ max: 5000 })).map(([first, length]) => `${first}-${first + length}`),
  position.map((first) => `${first}-`),
  position.map((length) => `-${length}`),
);

/**
 * The oracle finds a suffix longer than the representation unsatisfiable; RFC 9110 section 14.1.2 says that it means all
 * of it. So it is asked for no more than there is.
 */
function askOracle(total: number, texts: readonly string[]): ReturnType<typeof rangeParser> {
  const known = texts.map((text) => (text.startsWith('-') ? `-${Math.min(Number(text.slice(1)), total)}` : text));
  return rangeParser(total, `bytes=${known.join(',')}`);
}

/** Every position that a list of ranges covers, as sorted disjoint intervals. */
function covered(ranges: Iterable<{ first: number; last: number }>): [number, number][] {
  const joined: [number, number][] = [];
  for (const { first, last } of [...ranges].toSorted((a, b) => a.first - b.first)) {
    const former = joined.at(-1);
    if (former !== undefined && first <= former[1] + 1) former[1] = Math.max(former[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

describe('byte ranges against range-parser', () => {
  it('agree on a single range', () => {
    fc.assert(
      fc.property(size, spec, (total, text) => {
        const expected = askOracle(total, [text]);
        const actual = parseByteRanges(`bytes=${text}`, total);
        if (expected === -1 || expected === -2) assert.equal(actual, 'unsatisfiable');
        else
          assert.deepEqual(
            actual,
            [...expected].map(({ start, end }) => ({ first: start, last: end })),
          );
      }),
    );
  });

  it('cover what was asked for and at most small gaps beside it', () => {
    fc.assert(
      fc.property(size, fc.array(spec, { minLength: 1, maxLength: 20 }), (total, texts) => {
        const value = `bytes=${texts.join(', ')}`;
        const expected = askOracle(total, texts);
        const actual = parseByteRanges(value, total);
        if (expected === -1 || expected === -2) {
          assert.equal(actual, 'unsatisfiable');
          return;
        }
        assert.ok(Array.isArray(actual));
        const asked = covered([...expected].map(({ start, end }) => ({ first: start, last: end })));
        for (const [first, last] of asked) {
          assert.ok(
            actual.some((range) => range.first <= first && range.last >= last),
            value,
          );
        }
        const askedBytes = asked.reduce((sum, [first, last]) => sum + last - first + 1, 0);
        assert.ok(rangesLength(actual) <= askedBytes + 80 * asked.length);
        assert.ok(rangesLength(actual) <= total);
        assert.equal(covered(actual).length, actual.length, 'no two ranges overlap');
      }),
    );
  });

  it('survive any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, total) => {
        for (const value of [text, `bytes=${text}`]) {
          const ranges = parseByteRanges(value, total);
          if (!Array.isArray(ranges)) continue;
          for (const { first, last } of ranges) assert.ok(first >= 0 && first <= last && last < total);
        }
      }),
    );
  });
});
