import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpaceLease } from '../../../../src/cache/store/space-lease.ts';

const mebibyte = 1024 * 1024;

test('asks for what is waited for, once, and serves those who wait in turn', () => {
  const lease = new SpaceLease(1024 * mebibyte, () => 0);
  const asked: (number | undefined)[] = [];
  lease.onWanted = () => asked.push(lease.takeWanted());
  const served: string[] = [];
  assert.equal(lease.take(100), false);
  lease.wait(100, (granted) => served.push(`first ${granted}`));
  lease.wait(mebibyte, (granted) => served.push(`second ${granted}`));
  assert.equal(lease.take(1), false);
  assert.deepEqual(asked, [mebibyte, 2 * mebibyte]);
  lease.granted(mebibyte);
  assert.deepEqual(served, ['first true']);
  lease.granted(mebibyte);
  assert.deepEqual(served, ['first true', 'second true']);
  assert.equal(lease.available, mebibyte - 100);
  assert.equal(lease.takeWanted(), undefined);
});

test('gives up on what came too late, and says that it is not wanted any more', () => {
  let now = 0;
  const lease = new SpaceLease(1024 * mebibyte, () => now);
  const asked: (number | undefined)[] = [];
  lease.onWanted = () => asked.push(lease.takeWanted());
  let granted: boolean | undefined;
  lease.wait(100, (yes) => (granted = yes));
  now = 10_000;
  assert.equal(lease.settle(false), 0);
  assert.equal(granted, false);
  assert.deepEqual(asked, [mebibyte, 0]);
});

test('gives back what nobody needed, all of it when others need space', () => {
  const lease = new SpaceLease(1024 * mebibyte, () => 0);
  lease.granted(20 * mebibyte);
  lease.take(mebibyte);
  assert.equal(lease.settle(false), 15 * mebibyte);
  lease.take(mebibyte);
  assert.equal(lease.settle(true), 3 * mebibyte);
  assert.equal(lease.available, 0);
});

test('takes nothing back that was taken before every lease became void', () => {
  const lease = new SpaceLease(1024 * mebibyte, () => 0);
  lease.granted(mebibyte);
  const { generation } = lease;
  lease.take(1000);
  let granted: boolean | undefined;
  lease.wait(2 * mebibyte, (yes) => (granted = yes));
  lease.clear();
  assert.equal(granted, false);
  lease.give(1000, generation);
  assert.equal(lease.available, 0);
});
