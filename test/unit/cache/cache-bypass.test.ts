import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheBypass } from '../../../src/cache/cache-bypass.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const bypass = new CacheBypass({ cookies: ['sessionid', 'wp_*'], headers: ['x-preview'], query: ['draft', 'p_*'] });

test('a request goes past the cache by name of cookie, field or parameter, however they are written', () => {
  const concerns = (request: FakeRequest): boolean => bypass.concerns(new FakeExchange(request).head);
  assert.equal(concerns({}), false);
  assert.equal(concerns({ fields: { cookie: 'a=1;sessionid=2' } }), true);
  assert.equal(concerns({ fields: { cookie: ['a=1', 'sessionid=2'] } }), true);
  assert.equal(concerns({ fields: { cookie: 'sessionid' } }), true);
  assert.equal(concerns({ fields: { cookie: 'wp_x=1' } }), true);
  assert.equal(concerns({ fields: { cookie: 'xsessionid=2; a=sessionid' } }), false);
  assert.equal(concerns({ fields: { 'x-preview': '' } }), true);
  assert.equal(concerns({ target: '/?a=1&draft' }), true);
  assert.equal(concerns({ target: '/?%64raft=1' }), true);
  assert.equal(concerns({ target: '/?p_1=1' }), true);
  assert.equal(concerns({ target: '/?a=draft&%zz' }), false);
});
