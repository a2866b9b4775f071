import assert from 'node:assert/strict';
import { isIPv6, SocketAddress } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { RemoteAddresses } from '../../../src/listener/remote-address.ts';

const addresses = new RemoteAddresses();

test('an IPv4 address is dotted, and so is one within IPv6', () => {
  assert.equal(addresses.format(Uint8Array.of(127, 0, 0, 1)), '127.0.0.1');
  assert.equal(addresses.format(Uint8Array.of(255, 255, 255, 254)), '255.255.255.254');
  const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3);
  assert.equal(addresses.format(mapped), '10.1.2.3');
});

test('an IPv6 address is canonical', () => {
  const format = (...groups: number[]): string =>
    addresses.format(Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));
  assert.equal(format(0, 0, 0, 0, 0, 0, 0, 1), '::1');
  assert.equal(format(0, 0, 0, 0, 0, 0, 0, 0), '::');
  assert.equal(format(0x2001, 0xdb8, 0, 0, 1, 0, 0, 0), '2001:db8:0:0:1::');
  assert.equal(format(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), '2001:db8:0:1:1:1:1:1');
  assert.equal(format(1, 0, 0, 2, 0, 0, 3, 4), '1::2:0:0:3:4');
});

test('an IPv6 address is read back as the same by Node', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const text = addresses.format(bytes);
      if (!isIPv6(text)) return;
      assert.equal(new SocketAddress({ address: text, family: 'ipv6' }).address, text);
    }),
  );
});

test('a Unix socket has no address', () => {
  assert.equal(addresses.format(new Uint8Array(0)), '');
});

test('more addresses than are remembered are told all the same', () => {
  for (let index = 0; index < 10_000; index += 1) {
    const bytes = Uint8Array.of(10, index >> 8, index & 0xff, 7);
    assert.equal(addresses.format(bytes), `10.${index >> 8}.${index & 0xff}.7`);
  }
});
