import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientIdentity, identifyClient } from '../../../src/request/client-identity.ts';
import { TrustedProxies } from '../../../src/request/trusted-proxies.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const trusted = new TrustedProxies(['10.0.0.0/8', '2001:db8:f::/48']);

function identify(
  fields: NonNullable<FakeRequest['fields']>,
  connection: FakeRequest['connection'] = {},
): ClientIdentity {
  const remoteAddress = '10.0.0.1';
  const exchange = new FakeExchange({ host: 'inside', fields, connection: { remoteAddress, ...connection } });
  return identifyClient(exchange, trusted);
}

test('an untrusted peer is the client, whatever it says of others', () => {
  const fields = {
    'X-Forwarded-For': '1.2.3.4',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Port': '443',
    Forwarded: 'for=1.2.3.4;proto=https',
  };
  assert.deepEqual(identify(fields, { remoteAddress: '203.0.113.9' }), {
    address: '203.0.113.9',
    scheme: 'http',
    host: 'inside',
    port: 8080,
    trusted: false,
  });
});

test('a peer on a Unix socket is trusted only when unix is listed', () => {
  const exchange = new FakeExchange({ fields: { 'X-Forwarded-For': '1.2.3.4' }, connection: { remoteAddress: '' } });
  assert.equal(identifyClient(exchange, trusted).address, '');
  assert.equal(identifyClient(exchange, new TrustedProxies(['unix'])).address, '1.2.3.4');
});

test('a trusted peer that says nothing is taken as the client', () => {
  const expected = { address: '10.0.0.1', scheme: 'http', host: 'inside', port: 8080, trusted: true };
  assert.deepEqual(identify({}), expected);
});

const chains: readonly (readonly [name: string, list: string | string[], address: string])[] = [
  ['one entry is the client', '1.2.3.4', '1.2.3.4'],
  ['the right-most untrusted entry is the client', '6.6.6.6, 1.2.3.4, 10.9.9.9', '1.2.3.4'],
  ['several fields are one list', ['6.6.6.6', '1.2.3.4, 10.9.9.9'], '1.2.3.4'],
  ['trusted entries all through lead to the left-most', '10.2.2.2, 10.9.9.9', '10.2.2.2'],
  ['garbage ends the walk at the last trusted hop', '1.2.3.4, rubbish, 10.9.9.9', '10.9.9.9'],
  ['garbage in front is never reached', 'rubbish, 1.2.3.4', '1.2.3.4'],
  ['nothing but garbage leaves the peer', 'unknown', '10.0.0.1'],
  ['an empty entry ends the walk', '1.2.3.4,', '10.0.0.1'],
  ['a port is cut off', '1.2.3.4:5678', '1.2.3.4'],
  ['IPv6 in brackets with a port', '[2001:db8::5]:80, 2001:db8:f::1', '2001:db8::5'],
  ['a mapped address counts as IPv4', '1.2.3.4, ::ffff:10.1.1.1', '1.2.3.4'],
];

for (const [name, list, address] of chains) {
  test(`X-Forwarded-For: ${name}`, () => {
    assert.equal(identify({ 'X-Forwarded-For': list }).address, address);
  });
}

test('scheme, host and port of a trusted proxy are taken', () => {
  const fields = { 'X-Forwarded-Proto': 'HTTPS', 'X-Forwarded-Host': 'Shop.Example:8443', 'X-Forwarded-Port': '8443' };
  const { scheme, host, port } = identify(fields);
  assert.deepEqual({ scheme, host, port }, { scheme: 'https', host: 'shop.example:8443', port: 8443 });
});

test('of several values the last valid one counts', () => {
  const fields = { 'X-Forwarded-Proto': 'http, https, ftp', 'X-Forwarded-Host': 'a.example, b.example, c d' };
  const { scheme, host } = identify(fields);
  assert.deepEqual({ scheme, host }, { scheme: 'https', host: 'b.example' });
});

test('the port follows from the host or the scheme when the proxy does not name it', () => {
  assert.equal(identify({ 'X-Forwarded-Proto': 'https' }).port, 443);
  assert.equal(identify({ 'X-Forwarded-Host': 'a.example:8443' }).port, 8443);
  assert.equal(identify({ 'X-Forwarded-Host': '[2001:db8::1]' }).port, 80);
});

test('values that are not valid leave what the connection says', () => {
  for (const host of ['a/b', 'a"b', 'a b', '<script>', 'a:port', 'a@b', '', 'a'.repeat(300), 'b\u00e9']) {
    assert.equal(identify({ 'X-Forwarded-Host': host }).host, 'inside', host);
  }
  for (const port of ['0', '65536', '-1', '80x', '']) assert.equal(identify({ 'X-Forwarded-Port': port }).port, 8080);
  for (const proto of ['ftp', 'javascript', '']) assert.equal(identify({ 'X-Forwarded-Proto': proto }).scheme, 'http');
});

test('Forwarded tells the client, its scheme and its host by the element of the first untrusted hop', () => {
  const forwarded =
    'for=6.6.6.6;proto=http;host=fake, for="[2001:db8::7]:5";proto=https;host="shop.example", for=10.3.3.3;proto=http';
  const { address, scheme, host, port } = identify({ Forwarded: forwarded });
  assert.deepEqual(
    { address, scheme, host, port },
    { address: '2001:db8::7', scheme: 'https', host: 'shop.example', port: 443 },
  );
});

test('Forwarded is not looked at beside X-Forwarded-For', () => {
  const fields = { 'X-Forwarded-For': '1.2.3.4', Forwarded: 'for=5.6.7.8;proto=https' };
  const { address, scheme } = identify(fields);
  assert.deepEqual({ address, scheme }, { address: '1.2.3.4', scheme: 'http' });
});

test('nothing of a malformed Forwarded is believed', () => {
  assert.equal(identify({ Forwarded: 'for=1.2.3.4;proto=https, for=' }).address, '10.0.0.1');
});
