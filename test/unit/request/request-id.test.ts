import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identifyClient } from '../../../src/request/client-identity.ts';
import { TrustedProxies } from '../../../src/request/trusted-proxies.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

const made = /^[0-9a-f]{32}$/;

function idFor(sent: string, cidr: string): string {
  const exchange = new FakeExchange({ fields: { 'X-Request-Id': sent }, connection: { remoteAddress: '10.0.0.1' } });
  const context = exchange.withContext();
  context.client = identifyClient(exchange, new TrustedProxies([cidr]));
  return context.requestId;
}

test('an id is made once and is 32 hexadecimal digits', () => {
  const context = new FakeExchange().withContext();
  const id = context.requestId;
  assert.match(id, made);
  assert.equal(context.requestId, id);
});

test('no two requests have the same id', () => {
  const ids = new Set(Array.from({ length: 10_000 }, () => new FakeExchange().withContext().requestId));
  assert.equal(ids.size, 10_000);
});

test('the id of a trusted proxy is kept', () => {
  for (const id of ['a', 'Root=1-67891233-abcdef012345678912345678', 'x/y+z@h:1_2.3', 'f'.repeat(128)]) {
    assert.equal(idFor(id, '10.0.0.0/8'), id);
  }
});

test('the id of an untrusted peer is not', () => {
  assert.match(idFor('mine', '192.168.0.0/16'), made);
});

test('an id that would need escaping or is too long is replaced', () => {
  for (const id of ['', 'a b', 'a"b', '<b>', "a'b", 'a,b', 'a\tb', 'a\\b', 'é', 'f'.repeat(129)]) {
    assert.match(idFor(id, '10.0.0.0/8'), made, id);
  }
});
