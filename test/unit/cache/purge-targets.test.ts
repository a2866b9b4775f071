import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheKeyRules } from '../../../src/cache/cache-rules.ts';
import { PurgeMistake, type PurgeWish, requestsFor } from '../../../src/cache/purge-targets.ts';

const whole: CacheKeyRules = {
  host: true,
  query: { mode: 'all', names: [], sort: false },
  headers: [],
  cookies: [],
};
const none: PurgeWish = {
  urls: [],
  prefixes: [],
  hosts: [],
  tags: [],
  everything: false,
  soft: false,
  zone: undefined,
};

function targets(wish: Partial<PurgeWish>, ...ways: CacheKeyRules[]) {
  return requestsFor({ ...none, ...wish }, new Map([['default', ways]])).map(({ what }) => what);
}

test('an URL is purged as the routes of the zone count it', () => {
  const urls = ['HTTPS://Example.org:443/A%2fb?b=2&utm_source=x&a=1#part'];
  const url = { kind: 'url', host: 'example.org', path: '/A%2fb' };
  assert.deepEqual(targets({ urls }, whole), [{ ...url, query: 'b=2&utm_source=x&a=1' }]);
  const sorted = { ...whole, query: { mode: 'except', names: ['utm_*'], sort: true } } as const;
  assert.deepEqual(targets({ urls }, sorted), [{ ...url, query: 'a=1&b=2' }]);
  const bare = { ...whole, host: false, query: { mode: 'none', names: [], sort: false } } as const;
  assert.deepEqual(targets({ urls }, bare), [{ ...url, host: '', query: '' }]);
  assert.equal(targets({ urls }, whole, sorted, bare, whole).length, 3);
});

test('fields and cookies that a key counts do not keep an URL from being purged', () => {
  const rules = { ...whole, headers: ['x-site'], cookies: ['lang'] };
  const found = targets({ urls: ['http://example.org:8080/'] }, rules);
  assert.deepEqual(found, [{ kind: 'url', host: 'example.org:8080', path: '/', query: '' }]);
});

test('an asterisk in the place of the query means every query', () => {
  const found = targets({ urls: ['http://example.org/a?*'] }, whole);
  assert.deepEqual(found, [{ kind: 'url', host: 'example.org', path: '/a', query: undefined }]);
});

test('letters beyond ASCII are meant as clients send them', () => {
  const [found] = targets({ prefixes: ['http://example.org/straße/'] }, whole);
  assert.deepEqual(found, { kind: 'prefix', host: 'example.org', path: '/stra%C3%9Fe/' });
});

test('without a zone every zone is meant, a zone without routes has no URLs', () => {
  const zones = new Map([
    ['default', [whole]],
    ['media', []],
  ]);
  const requests = requestsFor({ ...none, tags: ['a'], urls: ['http://a/'], soft: true }, zones);
  assert.deepEqual(
    requests.map(({ zone, what, soft }) => [zone, what.kind, soft]),
    [
      ['default', 'tag', true],
      ['default', 'url', true],
      ['media', 'tag', true],
    ],
  );
});

const mistakes: readonly Partial<PurgeWish>[] = [
  { urls: ['/a'] },
  { urls: ['example.org/a'] },
  { urls: ['ftp://example.org/'] },
  { urls: ['http://user@example.org/'] },
  { urls: ['http://example.org:99999/'] },
  { prefixes: ['http://example.org/a?b'] },
  { hosts: ['http://example.org'] },
  { hosts: [''] },
  { tags: ['a b'] },
  { tags: [''] },
  { tags: ['a'], zone: 'nowhere' },
];

for (const wish of mistakes) {
  test(`${JSON.stringify(wish)} makes no sense, and the message says why`, () => {
    assert.throws(() => targets(wish, whole), PurgeMistake);
  });
}
