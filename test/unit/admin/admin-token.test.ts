import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasToken } from '../../../src/admin/admin-token.ts';

const token = 'abcdefgh01234567';

test('a request has the token when its bearer credentials are exactly that', () => {
  assert.equal(hasToken(`Bearer ${token}`, token), true);
  assert.equal(hasToken(`bearer  ${token}`, token), true);
});

test('nothing else is the token', () => {
  const wrong = [undefined, '', 'Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token} x`];
  for (const authorization of [...wrong, `Bearer ${token.slice(1)}`, `xBearer ${token}`]) {
    assert.equal(hasToken(authorization, token), false, authorization);
  }
});
