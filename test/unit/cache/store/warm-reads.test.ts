import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WarmReads } from '../../../../src/cache/store/warm-reads.ts';

test('what was read within the last second is read at once, anything else is not', () => {
  let now = 5000;
  const reads = new WarmReads(() => now);
  assert.equal(reads.allow(Number.NEGATIVE_INFINITY), false);
  const readAt = reads.time();
  now += 999;
  assert.equal(reads.allow(readAt), true);
  now += 1;
  assert.equal(reads.allow(readAt), false);
});

test('slow reads take a tenth of the time at most, and less with each that follows', () => {
  let now = 0;
  const reads = new WarmReads(() => now);
  const readFor = (ms: number): number => reads.run(() => void (now += ms));
  readFor(1);
  assert.equal(reads.allow(now), true);
  readFor(10);
  now += 99;
  assert.equal(reads.allow(now), false);
  now += 1;
  assert.equal(reads.allow(now), true);
  readFor(10);
  now += 199;
  assert.equal(reads.allow(now), false);
  now += 1;
  assert.equal(reads.allow(now), true);
  readFor(1);
  readFor(10);
  now += 100;
  assert.equal(reads.allow(now), true, 'a quick one makes up for those before');
});

test('a read that fails counts as well', () => {
  let now = 0;
  const reads = new WarmReads(() => now);
  assert.throws(() =>
    reads.run(() => {
      now += 50;
      throw new Error('EIO');
    }),
  );
  assert.equal(reads.allow(now), false);
});
