import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAddressRange } from '../../../src/config/address-range.ts';

describe('an address range', () => {
  test('is an address or a prefix of one', () => {
    const ranges: [string, number][] = [
      ['10.0.0.1', 32],
      ['10.0.0.0/8', 8],
      ['0.0.0.0/0', 0],
      ['::1', 128],
      ['fd00::/8', 8],
      ['::ffff:10.0.0.1/128', 128],
    ];
    for (const [text, prefixLength] of ranges) assert.deepEqual(parseAddressRange(text), { value: { prefixLength } });
  });

  test('is refused in any other form', () => {
    const wrong = [
      '',
      '/8',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/08',
      '10.0.0.0/-1',
      '10/8',
      '10.0.0',
      '::/129',
      '::1/8/8',
    ];
    for (const text of [...wrong, 'fe80::1%eth0', 'localhost', '10.0.0.1-10.0.0.9', '010.0.0.1', '0x7f.0.0.1']) {
      assert.ok('mistake' in parseAddressRange(text), text);
    }
  });
});
