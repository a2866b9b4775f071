import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileAccount } from '../../../src/config/compile-account.ts';
import { Diagnosis } from '../../../src/config/diagnosis.ts';

function compiled(input: { user?: string; group?: string }, ownId: number) {
  const diagnosis = new Diagnosis('/');
  const account = compileAccount({ user: input.user, group: input.group }, diagnosis, ownId);
  return { account, warnings: diagnosis.warnings, findings: diagnosis.findings.map(({ message }) => message) };
}

test('root makes the workers another user, of its own group or of the one that is named', () => {
  const { account } = compiled({ user: '12345', group: '54321' }, 0);
  assert.deepEqual(account, { user: '12345', name: undefined, uid: 12_345, gid: 54_321, groups: [54_321] });
  const { account: daemon } = compiled({ user: 'daemon' }, 0);
  assert.deepEqual([daemon?.name, daemon?.uid, daemon?.gid], ['daemon', 1, 1]);
});

test('who is not root stays who he is, with a warning unless that is the user', () => {
  assert.deepEqual(compiled({ user: '12345', group: '1' }, 1000), {
    account: undefined,
    warnings: ['user 12345 is ignored: only root may become another user'],
    findings: [],
  });
  assert.deepEqual(compiled({ user: '1000', group: '1' }, 1000).warnings, []);
});

test('root as the user of workers is warned of', () => {
  const { account, warnings } = compiled({ user: 'root' }, 0);
  assert.equal(account, undefined);
  assert.match(warnings.join(), /have all rights on this machine/);
});

test('a user that does not exist, one without a group and a group without a user are mistakes', () => {
  assert.deepEqual(compiled({ user: 'no-such-user-here' }, 0).findings, [
    'there is no user "no-such-user-here" on this machine',
  ]);
  assert.match(compiled({ user: '4000000000' }, 0).findings.join(), /no entry in \/etc\/passwd/);
  assert.deepEqual(compiled({ group: 'daemon' }, 0).findings, ['group without user']);
});
