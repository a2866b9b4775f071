import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TrustedProxies } from '../../../src/request/trusted-proxies.ts';

test('nobody is trusted when nothing is configured', () => {
  const trusted = new TrustedProxies([]);
  assert.equal(trusted.empty, true);
  assert.equal(trusted.has('127.0.0.1'), false);
  assert.equal(trusted.has(''), false);
});

const verdicts: readonly (readonly [cidr: string, address: string, trusted: boolean])[] = [
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['192.168.4.0/22', '192.168.7.255', true],
  ['192.168.4.0/22', '192.168.8.0', false],
  ['203.0.113.7', '203.0.113.7', true],
  ['203.0.113.7', '203.0.113.8', false],
  ['0.0.0.0/0', '8.8.8.8', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '127.0.0.1', false],
  ['2001:db8::/33', '2001:db8:7fff::1', true],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['::ffff:10.0.0.0/104', '10.1.2.3', true],
  ['10.0.0.0/8', 'unknown', false],
  ['10.0.0.0/8', '10.1.2.3:80', false],
  ['10.0.0.0/8', '', false],
  ['unix', '', true],
  ['unix', '127.0.0.1', false],
];

for (const [cidr, address, expected] of verdicts) {
  test(`${cidr} ${expected ? 'trusts' : 'does not trust'} ${address === '' ? 'a Unix socket' : address}`, () => {
    const trusted = new TrustedProxies([cidr]);
    assert.equal(trusted.has(address), expected);
    // The second time it comes from memory.
    assert.equal(trusted.has(address), expected);
  });
}

test('an IPv4 network takes exactly the addresses that share its leading bits', () => {
  const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(word, fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 32 }), (base, prefix, flipped) => {
      const address = flipped === 32 ? base : (base ^ (1 << flipped)) >>> 0;
      const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
      const expected = ((base ^ address) & mask) === 0;
      assert.equal(new TrustedProxies([`${dotted(base)}/${prefix}`]).has(dotted(address)), expected);
    }),
  );
});

test('made-up addresses do not fill the memory', () => {
  const trusted = new TrustedProxies(['10.0.0.0/8']);
  for (let index = 0; index < 5000; index++) trusted.has(`172.16.${index >> 8}.${index & 255}`);
  const remembered: unknown = Reflect.get(trusted, 'remembered');
  assert.ok(remembered instanceof Map && remembered.size <= 1024);
  assert.equal(trusted.has('10.1.1.1'), true);
});

for (const bad of ['localhost', '10.0.0.0/33', '10.0.0', '', '::1/129', '10.0.0.0/8 ']) {
  test(`${JSON.stringify(bad)} is refused by name`, () => {
    assert.throws(() => new TrustedProxies(['127.0.0.1', bad]), {
      message: new RegExp(`trustedProxies: "${bad.replaceAll('.', '\\.')}"`),
    });
  });
}
