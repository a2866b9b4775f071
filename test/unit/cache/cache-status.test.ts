import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CacheOutcome, cacheStatusMember, xCacheWord } from '../../../src/cache/cache-status.ts';

const outcomes: readonly [CacheOutcome, member: string, word: string][] = [
  [{ hit: true, ttl: 30.9 }, 'portico; hit; ttl=30', 'HIT'],
  [{ hit: true, ttl: -412 }, 'portico; hit; ttl=-412', 'STALE'],
  [{ hit: false, forwarded: 'uri-miss', stored: true }, 'portico; fwd=uri-miss; stored', 'MISS'],
  [{ hit: false, forwarded: 'vary-miss', stored: false }, 'portico; fwd=vary-miss', 'MISS'],
  [{ hit: false, forwarded: 'uri-miss', collapsed: true }, 'portico; fwd=uri-miss; collapsed', 'MISS'],
  [{ hit: false, forwarded: 'bypass' }, 'portico; fwd=bypass', 'BYPASS'],
  [{ hit: false, forwarded: 'method' }, 'portico; fwd=method', 'BYPASS'],
  [
    { hit: false, forwarded: 'stale', forwardStatus: 304, ttl: 60 },
    'portico; fwd=stale; fwd-status=304; ttl=60',
    'REVALIDATED',
  ],
  [
    { hit: false, forwarded: 'stale', forwardStatus: 200, stored: true },
    'portico; fwd=stale; fwd-status=200; stored',
    'EXPIRED',
  ],
  [
    { hit: false, forwarded: 'stale', forwardStatus: 503, ttl: -3, detail: 'stale-if-error' },
    'portico; fwd=stale; fwd-status=503; ttl=-3; detail=stale-if-error',
    'STALE',
  ],
];

for (const [outcome, member, word] of outcomes) {
  test(`${member} is ${word} in one word`, () => {
    assert.equal(cacheStatusMember('portico', outcome), member);
    assert.equal(xCacheWord(outcome), word);
  });
}

test('what is no token is quoted, and what no string may hold is percent-encoded', () => {
  const key = 'example.org/a?"b"\\ x:é\u{1f600}';
  assert.equal(
    cacheStatusMember('front of house', { hit: true, key }),
    '"front of house"; hit; key="example.org/a?\\"b\\"\\\\ x:%C3%A9%F0%9F%98%80"',
  );
  assert.equal(cacheStatusMember('p', { hit: true, detail: '9 lives' }), 'p; hit; detail="9 lives"');
  assert.doesNotMatch(cacheStatusMember('p', { hit: true, key: 'a\r\nSet-Cookie: b' }), /[\r\n]/);
});
