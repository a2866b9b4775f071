import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { normalizedAcceptEncoding, normalizedAcceptLanguage, variantOf } from '../../../../src/cache/policy/variant.ts';
import { fieldsFrom, plainRules } from '../../../support/cache-exchange.ts';

describe('variantOf', () => {
  it('is empty without names', () => {
    assert.equal(variantOf([], fieldsFrom(['Cookie: a=b']), plainRules.normalizeVary), '');
  });

  it('is equal exactly where all values are', () => {
    const value = fc.option(fc.constantFrom('', 'undefined', 'a', 'b', 'a, b', 'x:', 'b:a', 'a\tb:'), {
      nil: undefined,
    });
    const lines = (values: (string | undefined)[]) =>
      values.flatMap((text, index) => (text === undefined ? [] : [`${'ab'.charAt(index)}: ${text}`]));
    fc.assert(
      fc.property(fc.tuple(value, value), fc.tuple(value, value), (one, other) => {
        const of = (values: (string | undefined)[]) =>
          variantOf(['a', 'b'], fieldsFrom(lines(values)), plainRules.normalizeVary);
        assert.equal(of(one) === of(other), one[0] === other[0] && one[1] === other[1]);
      }),
    );
  });
});

describe('normalizedAcceptEncoding', () => {
  const cases: [field: string | undefined, expected: string][] = [
    [undefined, ''],
    ['', ''],
    ['identity', ''],
    ['gzip, deflate, br, zstd', 'br, gzip, zstd'],
    ['ZSTD;q=0.1 , x-gzip;q=1.0', 'gzip, zstd'],
    ['gzip;q=0, br', 'br'],
    ['*', 'br, gzip, zstd'],
    ['*;q=0, gzip', 'gzip, identity;q=0'],
    ['gzip, identity;q=0', 'gzip, identity;q=0'],
    ['br;q=2', ''],
  ];
  for (const [field, expected] of cases) {
    it(`makes ${JSON.stringify(expected)} of ${field}`, () => {
      const fields = fieldsFrom(field === undefined ? [] : [`Accept-Encoding: ${field}`]);
      assert.equal(normalizedAcceptEncoding(fields), expected);
    });
  }
});

describe('normalizedAcceptEncoding of a list without weights', () => {
  it('is that of the same list with weights', () => {
    const name = fc.constantFrom('gzip', 'BR', 'zstd', 'x-gzip', 'deflate', 'identity', '*', 'foo', ' ', '');
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), (names) => {
        const of = (members: string[]) =>
          normalizedAcceptEncoding(fieldsFrom([`Accept-Encoding: ${members.join(', ')}`]));
        assert.equal(of(names), of(names.map((one) => (one.trim() === '' ? one : `${one};q=0.5`))));
      }),
    );
  });
});

describe('normalizedAcceptLanguage', () => {
  const languages = ['en', 'de', 'pt-BR', 'zh-Hant'];
  const cases: [field: string | undefined, expected: string][] = [
    [undefined, ''],
    ['', ''],
    ['fr', ''],
    ['de-AT, en;q=0.9', 'de'],
    ['fr, en;q=0.5, de;q=0.6', 'de'],
    ['en;q=0.5, de;q=0.5', 'en'],
    ['PT-br', 'pt-BR'],
    ['pt', 'pt-BR'],
    ['zh-Hant-TW', 'zh-Hant'],
    ['zh-Hans', ''],
    ['*', 'en'],
    ['fr, *;q=0.1', 'en'],
    ['de;q=0', ''],
    ['de;q=x', ''],
  ];
  for (const [field, expected] of cases) {
    it(`chooses ${JSON.stringify(expected)} for ${field}`, () => {
      const fields = fieldsFrom(field === undefined ? [] : [`Accept-Language: ${field}`]);
      assert.equal(normalizedAcceptLanguage(fields, languages), expected);
    });
  }
});
