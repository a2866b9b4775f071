import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CacheKey, variantKey } from '../../../src/cache/cache-key.ts';
import type { CacheKeyRules } from '../../../src/cache/cache-rules.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const all: CacheKeyRules = { host: true, query: { mode: 'all', names: [], sort: false }, headers: [], cookies: [] };

function key(request: FakeRequest, changes: Partial<CacheKeyRules> = {}): string {
  return new CacheKey({ ...all, ...changes }).of(new FakeExchange(request).withContext('/'));
}

describe('a cache key', () => {
  test('is host, path and query as the client wrote them', () => {
    assert.equal(key({ target: '/a%2Db//c?x=1&x=2' }), 'example.com/a%2Db//c?x=1&x=2');
    assert.equal(
      key({ target: '/a?' }),
      'example.com/a?',
      'RFC 3986 section 6.2.3: a bare question mark is another resource',
    );
    assert.equal(key({ target: '/a', connection: { scheme: 'https' } }), 'example.com/a https');
    assert.equal(key({ target: '/a' }, { host: false }), '/a');
  });

  test('has the parameters that count, in their order or sorted by name', () => {
    const target = '/a?utm_x=1&b=2&a=3&b=1';
    const query = (mode: 'none' | 'only' | 'except' | 'all', names: string[], sort = false): string =>
      key({ target }, { query: { mode, names, sort } });
    assert.equal(query('none', []), 'example.com/a');
    assert.equal(query('only', ['a']), 'example.com/a?a=3');
    assert.equal(query('only', ['c']), 'example.com/a');
    assert.equal(query('except', ['utm_*']), 'example.com/a?b=2&a=3&b=1');
    assert.equal(query('all', [], true), 'example.com/a?a=3&b=2&b=1&utm_x=1');
  });

  test('tells fields and cookies apart that are missing, empty, or look like others', () => {
    const rules = { headers: ['x-a', 'x-b'], cookies: ['c'] };
    const keys = [
      key({ target: '/' }, rules),
      key({ target: '/', fields: { 'x-a': '' } }, rules),
      key({ target: '/', fields: { 'x-b': '' } }, rules),
      key({ target: '/', fields: { 'x-a': 'x-b: ' } }, rules),
      key({ target: '/', fields: { cookie: 'c=1' } }, rules),
      key({ target: '/', fields: { cookie: 'd=1; c=' } }, rules),
    ];
    assert.equal(new Set(keys).size, keys.length);
  });

  test('of a variant cannot be that of another key', () => {
    assert.notEqual(variantKey('a', 'b\n'), variantKey('a\n', 'b'));
  });
});
