import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeAddress } from '../../../src/request/node-address.ts';

const entries: readonly (readonly [entry: string, address: string | undefined])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['  192.0.2.1\t', '192.0.2.1'],
  ['192.0.2.1:4711', '192.0.2.1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:4711', '2001:db8::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['[::FFFF:192.0.2.1]:80', '192.0.2.1'],
  ['', undefined],
  ['unknown', undefined],
  ['_hidden', undefined],
  ['192.0.2', undefined],
  ['192.0.2.256', undefined],
  ['0x7f.0.0.1', undefined],
  ['192.0.2.1:', undefined],
  ['192.0.2.1:port', undefined],
  ['192.0.2.1:123456', undefined],
  ['[2001:db8::1', undefined],
  ['[2001:db8::1]x', undefined],
  ['fe80::1%eth0', undefined],
  ['192.0.2.1 192.0.2.2', undefined],
  ["'; DROP TABLE--", undefined],
];

for (const [entry, address] of entries) {
  test(`${JSON.stringify(entry)} ${address === undefined ? 'holds no address' : `holds the address ${address}`}`, () => {
    assert.equal(nodeAddress(entry), address);
  });
}
