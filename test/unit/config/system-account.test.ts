import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findGroup, findUser } from '../../../src/config/system-account.ts';

test('a user is found by name and by number', () => {
  assert.deepEqual(findUser('root'), { name: 'root', uid: 0, gid: 0 });
  assert.deepEqual(findUser('0'), { name: 'root', uid: 0, gid: 0 });
});

test('a number needs no entry, a name does', () => {
  assert.deepEqual(findUser('4000000000'), { name: undefined, uid: 4_000_000_000, gid: undefined });
  assert.equal(findGroup('4000000000'), 4_000_000_000);
  assert.equal(findUser('no-such-user-here'), undefined);
  assert.equal(findGroup('no-such-group-here'), undefined);
});

test('the number that stands for no change is nobody', () => {
  assert.equal(findUser('4294967295'), undefined);
  assert.equal(findGroup('99999999999'), undefined);
});
