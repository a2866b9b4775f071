import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressBlocks } from '../../../src/limits/address-block.ts';
import { KeyedHash } from '../../../src/limits/keyed-hash.ts';

const blocks = new AddressBlocks();

function blockOf(address: string): string {
  const hash = new KeyedHash(Buffer.alloc(16));
  hash.begin();
  blocks.feed(hash, address);
  hash.finish();
  return `${hash.high} ${hash.low}`;
}

test('addresses of one /64 count as one, however they are written', () => {
  const same = ['2001:db8:0:1::1', '2001:0DB8:0000:0001:0:0:0:2', '2001:db8::1:ffff:ffff:ffff:ffff', '2001:db8:0:1::'];
  for (const address of same) assert.equal(blockOf(address), blockOf('2001:db8:0:1::42'), address);
  assert.equal(blockOf('::1'), blockOf('::'));
  assert.equal(blockOf('::1'), blockOf('0:0:0:0:1:2:3:4'));
  assert.equal(blockOf('64:ff9b::192.0.2.1'), blockOf('64:ff9b::1'));
  assert.equal(blockOf('fe80::1'), blockOf('fe80:0:0:0:1::'));
});

test('addresses of different /64s and all IPv4 addresses count apart', () => {
  const apart = [
    '2001:db8:0:1::1',
    '2001:db8:0:2::1',
    '2001:db8:1::1',
    '2001:db9:0:1::1',
    '::1',
    '1::',
    '0:1::',
    '0:0:1::',
  ];
  const all = [...apart, '0:0:0:1::', '192.0.2.1', '192.0.2.2', '', 'unknown'];
  assert.equal(new Set(all.map(blockOf)).size, all.length);
});

test('text that is no address does no harm', () => {
  for (const text of [':', ':::', '::::::::::', '1:2:3:4:5:6:7:8:9', 'fe80::1%eth0', 'zz::', `${'1'.repeat(999)}:`])
    blockOf(text);
});
