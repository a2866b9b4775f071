import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { AddressTrie } from '../../../src/access/address-trie.ts';

describe('an address trie', () => {
  const trie = new AddressTrie([
    ['10.0.0.0/8', 1],
    ['10.1.0.0/16', 2],
    ['10.1.2.3', 3],
    ['10.1.2.128/25', 4],
    ['2001:db8::/32', 5],
    ['2001:db8:8000::/33', 6],
    ['::ffff:192.0.2.0/120', 7],
  ]);
  const found: readonly (readonly [address: string, value: number | undefined])[] = [
    ['10.9.9.9', 1],
    ['10.1.9.9', 2],
    ['10.1.2.3', 3],
    ['10.1.2.4', 2],
    ['10.1.2.127', 2],
    ['10.1.2.128', 4],
    ['10.1.2.255', 4],
    ['11.0.0.0', 0],
    ['9.255.255.255', 0],
    ['2001:db8:7fff::1', 5],
    ['2001:db8:8000::1', 6],
    ['2001:db9::', 0],
    ['192.0.2.200', 7],
    ['::ffff:10.1.2.3', 3],
    ['::ffff:a01:203', 3],
    ['10.1.2', undefined],
    ['10.1.2.3.4', undefined],
    ['10.1.2.03', undefined],
    ['010.1.2.3', undefined],
    ['10.1.2.256', undefined],
    ['10.1.2.-1', undefined],
    ['10.1..3', undefined],
    ['.10.1.2', undefined],
    ['10.1.2.3 ', undefined],
    ['0xa.1.2.3', undefined],
    ['unknown', undefined],
    ['', undefined],
    ['10.1.2.3:80', undefined],
    ['[2001:db8::1]', undefined],
  ];
  for (const [address, value] of found) {
    test(`finds ${value ?? 'no address'} for ${JSON.stringify(address)}`, () => {
      assert.equal(trie.find(address), value);
    });
  }

  test('takes the narrowest range whatever the order', () => {
    const ranges: [string, number][] = [
      ['0.0.0.0/0', 1],
      ['128.0.0.0/1', 2],
      ['192.0.0.0/2', 3],
      ['192.168.0.0/16', 4],
      ['192.168.1.1', 5],
    ];
    for (const order of [ranges, ranges.toReversed()]) {
      const made = new AddressTrie(order);
      assert.deepEqual(
        ['1.1.1.1', '130.0.0.1', '200.0.0.1', '192.168.0.1', '192.168.1.1'].map((one) => made.find(one)),
        [1, 2, 3, 4, 5],
      );
      assert.equal(made.find('::1'), 0);
    }
  });

  test('refuses what is no range', () => {
    for (const wrong of ['10.0.0', 'example.com', '10.0.0.0/8/8', '0x7f.1']) {
      assert.throws(() => new AddressTrie([[wrong, 1]]), /neither an address/);
    }
  });

  test('agrees with the list of Node about membership', () => {
    const address = fc.ipV4();
    const range = fc.tuple(address, fc.integer({ min: 0, max: 32 }));
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 20 }),
        fc.array(address, { minLength: 1, maxLength: 20 }),
        (all, asked) => {
          const list = new BlockList();
          for (const [one, bits] of all) list.addSubnet(one, bits);
          const made = new AddressTrie(all.map(([one, bits]) => [`${one}/${bits}`, 1]));
          const near = all.map(([one]) => one);
          for (const one of [...asked, ...near]) assert.equal(made.find(one) === 1, list.check(one), one);
        },
      ),
    );
  });

  test('agrees with the list of Node about IPv6', () => {
    const address = fc.ipV6().filter((one) => !one.includes('.') && !/^(::|0:)/.test(one));
    const range = fc.tuple(address, fc.integer({ min: 1, max: 128 }));
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 10 }),
        fc.array(address, { minLength: 1, maxLength: 5 }),
        (all, asked) => {
          const list = new BlockList();
          for (const [one, bits] of all) list.addSubnet(one, bits, 'ipv6');
          const made = new AddressTrie(all.map(([one, bits]) => [`${one}/${bits}`, 1]));
          for (const one of [...asked, ...all.map(([near]) => near)]) {
            assert.equal(made.find(one) === 1, list.check(one, 'ipv6'), one);
          }
        },
      ),
    );
  });
});
