import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostNames } from '../../../src/listener/host-names.ts';

const valid = ['h', 'a.b', 'a_b', '1.2.3.4', '[::1]', '[::ffff:1.2.3.4]:80', 'h:', 'h:65535'];
const invalid = ['', ':', ':80', 'h:65536', 'h:x', 'u@h', 'h/', 'h h', 'a,b', '[::1', '::1', '[g]', 'h:1:2', 'h%41'];

test('a host is a name or an address, with a port, whether it was asked for before or not', () => {
  const hosts = new HostNames();
  for (let round = 1; round <= 2; round++) {
    for (const text of valid) assert.equal(hosts.nameOf(text), text);
    for (const text of invalid) assert.equal(hosts.nameOf(text), undefined, text);
  }
  for (const text of invalid) assert.equal(hosts.nameOf(text), undefined, text);
});

test('a host is given in lower case, however it was written before', () => {
  const hosts = new HostNames();
  for (const text of ['Example.COM:80', 'example.com:80', 'EXAMPLE.com:80', 'Example.COM:80', 'Example.COM:80']) {
    assert.equal(hosts.nameOf(text), 'example.com:80');
  }
});

test('many hosts that are made up push out others, and are still right', () => {
  const hosts = new HostNames();
  for (let index = 0; index < 10_000; index++) assert.equal(hosts.nameOf(`H${index}.test`), `h${index}.test`);
  assert.equal(hosts.nameOf('H0.test'), 'h0.test');
  assert.equal(hosts.nameOf(`${'A'.repeat(300)}.test`), `${'a'.repeat(300)}.test`);
});
