import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '../../../src/log/logger.ts';
import { RepeatedLog } from '../../../src/log/repeated-log.ts';

function fixture() {
  const lines: unknown[] = [];
  const write = (message: string, fields: unknown) => lines.push([message, fields]);
  const clock = { now: 0 };
  const log = new RepeatedLog({ warn: write, error: write } as unknown as Logger, 1000, () => clock.now);
  return { lines, clock, log };
}

test('the same key is written once an interval, with how many were held back', () => {
  const { lines, clock, log } = fixture();
  for (let index = 0; index < 5; index += 1) log.warn('full', 'disk full', { index });
  clock.now = 999;
  log.warn('full', 'disk full');
  clock.now = 1000;
  log.warn('full', 'disk full', { index: 9 });
  clock.now = 2000;
  log.error('full', 'disk full');
  assert.deepEqual(lines, [
    ['disk full', { index: 0 }],
    ['disk full', { index: 9, suppressed: 5 }],
    ['disk full', {}],
  ]);
});

test('different keys do not hold each other back, and endless keys do not fill the memory', () => {
  const { lines, log } = fixture();
  for (let index = 0; index < 5000; index += 1) log.warn(`key ${index}`, 'm');
  assert.equal(lines.length, 5000);
});
