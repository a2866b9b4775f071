import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { duration, formatDuration, formatSize, size } from '../../../src/config/units.ts';

describe('a duration', () => {
  test('is read in every unit', () => {
    const cases: [string, number][] = [
      ['0ms', 0],
      ['1500ms', 1500],
      ['1.5s', 1500],
      ['30s', 30_000],
      ['5m', 300_000],
      ['1h', 3_600_000],
      ['24d', 2_073_600_000],
    ];
    for (const [text, expected] of cases) assert.equal(duration().parse(text), expected);
  });

  test('is refused in any other form', () => {
    for (const value of [
      '',
      '5',
      's',
      '5 s',
      '5S',
      '-5s',
      '+5s',
      '1e3s',
      '.5s',
      '5s ',
      '5m30s',
      'Infinitys',
      5,
      null,
    ]) {
      assert.equal(duration().safeParse(value).success, false, String(value));
    }
  });

  test('is never longer than a timer can wait', () => {
    assert.equal(duration().safeParse('25d').success, false);
    assert.equal(duration().safeParse(`${'9'.repeat(400)}d`).success, false);
  });

  test('survives being written and read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 24 * 86_400_000 }), (milliseconds) => {
        assert.equal(duration().parse(formatDuration(milliseconds)), milliseconds);
      }),
    );
  });

  test('is within its bounds or refused, whatever the text', () => {
    const schema = duration({ min: 100, max: 60_000 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,8}(\.\d{1,3})?(ms|s|m|h|d)$/)), (text) => {
        const parsed = schema.safeParse(text);
        if (parsed.success) assert.ok(Number.isInteger(parsed.data) && parsed.data >= 100 && parsed.data <= 60_000);
      }),
    );
  });
});

describe('a size', () => {
  test('is read in every unit, each 1024 of the one before', () => {
    const cases: [string, number][] = [
      ['0B', 0],
      ['512B', 512],
      ['64KB', 65_536],
      ['1.5MB', 1_572_864],
      ['2GB', 2_147_483_648],
      ['1TB', 1024 ** 4],
    ];
    for (const [text, expected] of cases) assert.equal(size().parse(text), expected);
  });

  test('is refused in any other form', () => {
    for (const value of ['', '1', '1k', '1kb', '1KiB', '1 MB', '-1B', '9999999TB', 1024, true]) {
      assert.equal(size().safeParse(value).success, false, String(value));
    }
  });

  test('survives being written and read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1024 ** 5 }), (bytes) => {
        assert.equal(size().parse(formatSize(bytes)), bytes);
      }),
    );
  });
});
