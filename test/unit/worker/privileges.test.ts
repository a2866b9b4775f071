import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Account } from '../../../src/config/config.ts';
import { type Identity, Privileges } from '../../../src/worker/privileges.ts';

const account: Account = { user: 'web', name: 'web', uid: 1000, gid: 1001, groups: [1001] };

/** Root, as far as the calls go; keeps them in order. */
class FakeIdentity implements Identity {
  readonly calls: string[] = [];
  /** Real and effective. */
  real = 0;
  effective = 0;
  /** Whether root can be had back in any case. */
  leaks = false;
  refuses = '';

  geteuid = (): number => this.effective;
  initgroups = (user: string, group: number): void => this.note(`initgroups ${user} ${group}`);
  setgroups = (groups: number[]): void => this.note(`setgroups ${groups.join()}`);
  setegid = (id: number): void => this.note(`setegid ${id}`);
  setgid = (id: number): void => this.note(`setgid ${id}`);

  seteuid = (id: number): void => {
    this.note(`seteuid ${id}`);
    this.effective = id;
  };

  setuid = (id: number): void => {
    if (this.real !== 0 && !this.leaks) throw Object.assign(new Error('no'), { code: 'EPERM' });
    this.note(`setuid ${id}`);
    this.real = id;
    this.effective = id;
  };

  private note(call: string): void {
    if (call.startsWith(this.refuses) && this.refuses !== '') throw Object.assign(new Error('no'), { code: 'EPERM' });
    this.calls.push(call);
  }
}

describe('the way from root to the user that serves', () => {
  test('gives up the groups first, and the user last', () => {
    const identity = new FakeIdentity();
    const privileges = new Privileges(identity);
    privileges.lower(account);
    assert.equal(identity.effective, 1000);
    privileges.drop();
    assert.deepEqual(identity.calls, [
      'initgroups web 1001',
      'setegid 1001',
      'seteuid 1000',
      'seteuid 0',
      'setgid 1001',
      'setuid 1000',
    ]);
    assert.equal(privileges.dropped, true);
  });

  test('leaves a user without a name its one group', () => {
    const identity = new FakeIdentity();
    new Privileges(identity).lower({ ...account, name: undefined });
    assert.equal(identity.calls[0], 'setgroups 1001');
  });

  test('leads back to root for one piece of work, also when that fails', async () => {
    const identity = new FakeIdentity();
    const privileges = new Privileges(identity);
    privileges.lower(account);
    assert.equal(await privileges.raised(async () => identity.effective), 0);
    assert.equal(identity.effective, 1000);
    await assert.rejects(
      privileges.raised(() => Promise.reject(new Error('no port'))),
      /no port/,
    );
    assert.equal(identity.effective, 1000);
  });

  test('does not lead back once the user is all there is', async () => {
    const identity = new FakeIdentity();
    const privileges = new Privileges(identity);
    privileges.lower(account);
    privileges.drop();
    assert.equal(await privileges.raised(async () => identity.effective), 1000);
    privileges.lower(account);
    privileges.drop();
    assert.equal(identity.calls.length, 6);
  });

  test('is taken once: further configurations change nothing', () => {
    const identity = new FakeIdentity();
    const privileges = new Privileges(identity);
    privileges.drop();
    assert.deepEqual(identity.calls, []);
    assert.equal(privileges.dropped, false);
  });

  test('says what is missing where the system does not allow it', () => {
    const identity = new FakeIdentity();
    identity.refuses = 'initgroups';
    assert.throws(() => new Privileges(identity).lower(account), /user web \(EPERM\): that takes CAP_SETUID and/);
  });

  test('ends in an error when root could be had back', () => {
    const identity = new FakeIdentity();
    identity.leaks = true;
    const privileges = new Privileges(identity);
    privileges.lower(account);
    assert.throws(() => privileges.drop(), /root could be had back/);
    assert.equal(privileges.dropped, false);
  });
});
