import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableCpus } from '../../../src/config/available-cpus.ts';

const version2 = '/sys/fs/cgroup/cpu.max';
const quota = '/sys/fs/cgroup/cpu/cpu.cfs_quota_us';
const period = '/sys/fs/cgroup/cpu/cpu.cfs_period_us';

test('without a control group every core counts', () => assert.equal(availableCpus(8, files({})), 8));

test('no limit leaves every core', () => {
  assert.equal(availableCpus(8, files({ [version2]: 'max 100000\n' })), 8);
  assert.equal(availableCpus(8, files({ [quota]: '-1\n', [period]: '100000\n' })), 8);
});

test('a quota counts in whole CPUs', () => {
  assert.equal(availableCpus(8, files({ [version2]: '200000 100000\n' })), 2);
  assert.equal(availableCpus(8, files({ [version2]: '350000 100000\n' })), 3);
  assert.equal(availableCpus(8, files({ [quota]: '400000\n', [period]: '100000\n' })), 4);
});

test('half a CPU is one worker', () => assert.equal(availableCpus(8, files({ [version2]: '50000 100000\n' })), 1));

test('a quota above the cores adds none', () => {
  assert.equal(availableCpus(2, files({ [version2]: '800000 100000\n' })), 2);
});

test('nonsense in the files is passed over', () => {
  assert.equal(availableCpus(4, files({ [version2]: '' })), 4);
  assert.equal(availableCpus(4, files({ [version2]: '100 0' })), 4);
});

function files(contents: Record<string, string>): (path: string) => string {
  return (path) => {
    const text = contents[path];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  };
}
