import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerAddress } from '../../../src/listener/peer-address.ts';
import { TrustedProxies } from '../../../src/request/trusted-proxies.ts';

test('a peer that reset its connection does not pass for one on a Unix socket', () => {
  const trusted = new TrustedProxies(['unix']);
  assert.equal(trusted.has(peerAddress({ remoteAddress: undefined }, false)), false);
  assert.equal(trusted.has(peerAddress({ remoteAddress: undefined }, true)), true);
});

test('an IPv4 peer of a dual-stack socket has its address in dotted form', () => {
  assert.equal(peerAddress({ remoteAddress: '::ffff:192.0.2.1' }, false), '192.0.2.1');
  assert.equal(peerAddress({ remoteAddress: '2001:db8::1' }, false), '2001:db8::1');
});
