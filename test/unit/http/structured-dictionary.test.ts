import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseStructuredDictionary } from '../../../src/http/structured-dictionary.ts';

function read(field: string): [string, unknown][] | undefined {
  const members = parseStructuredDictionary(field);
  return members && [...members].map(([key, { type, value }]) => [key, [type, value]]);
}

describe('parseStructuredDictionary', () => {
  it('reads items of every type', () => {
    assert.deepEqual(read('a=1, b=-2.5, c="x\\"\\\\y", d=to/k:en*, e=:YQ==:, f=?0, g, *h_-.1=*x'), [
      ['a', ['integer', 1]],
      ['b', ['decimal', -2.5]],
      ['c', ['string', 'x"\\y']],
      ['d', ['token', 'to/k:en*']],
      ['e', ['bytes', 'YQ==']],
      ['f', ['boolean', false]],
      ['g', ['boolean', true]],
      ['*h_-.1', ['token', '*x']],
    ]);
  });

  it('reads inner lists, and checks parameters without keeping them', () => {
    const items = [
      { type: 'string', value: 'x' },
      { type: 'integer', value: 2 },
    ];
    assert.deepEqual(read('a=( "x";p=1   2 );q, b;r="s";t, c=()'), [
      ['a', ['list', items]],
      ['b', ['boolean', true]],
      ['c', ['list', []]],
    ]);
  });

  it('lets the last member of a name count, in its place', () => {
    assert.deepEqual(read('a=1,b=2 ,\ta=3'), [
      ['b', ['integer', 2]],
      ['a', ['integer', 3]],
    ]);
  });

  it('finds nothing in nothing', () => {
    assert.deepEqual(read(''), []);
    assert.deepEqual(read('   '), []);
  });

  it('refuses the whole for one fault', () => {
    const faults = [
      'A=1',
      '1a',
      'a=',
      'a =1',
      'a= 1',
      'a=1,',
      ',a',
      'a,,b',
      'a b',
      'a="x',
      'a="\\x"',
      'a="\u00e4"',
      'a=:x',
      'a=:x!:',
    ];
    faults.push(
      'a=?2',
      'a=1.',
      'a=.5',
      'a=1.2345',
      'a=--1',
      'a=1234567890123456',
      'a=1234567890123.1',
      'a=(',
      'a=(1',
      'a=(1(2))',
    );
    faults.push('a=("x""y")', 'a;', 'a;B', 'a;b=', 'a=@1', 'a=\u00e4', '\ta=1', 'a=1;b=?', 'a=%x');
    for (const text of faults) assert.equal(parseStructuredDictionary(text), undefined, text);
  });

  it('ends with any text', () => {
    const characters = fc.constantFrom(...'ab1-.=,;()"\\:?*% \t'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 60 }), (text) => void parseStructuredDictionary(text)),
      {
        numRuns: 5000,
      },
    );
  });

  it('refuses more members than anybody sends', () => {
    assert.equal(
      parseStructuredDictionary(Array.from({ length: 2000 }, (_value, index) => `a${index}`).join()),
      undefined,
    );
  });
});
