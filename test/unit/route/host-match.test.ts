import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostTable } from '../../../src/route/host-match.ts';

function tableOf(...hosts: readonly string[]): HostTable<string> {
  const table = new HostTable<string>();
  for (const host of hosts) table.add(host, host);
  return table;
}

test('neither a port nor a dot behind the name counts', () => {
  const table = tableOf('a.example', '[2001:db8::1]', '192.0.2.1', 'node1');
  for (const host of ['a.example', 'a.example:1', 'a.example:65535', 'a.example.', 'a.example.:8080', 'a.example:']) {
    assert.equal(table.find(host), 'a.example', host);
  }
  for (const host of ['[2001:db8::1]', '[2001:db8::1]:443']) assert.equal(table.find(host), '[2001:db8::1]', host);
  for (const host of ['192.0.2.1', '192.0.2.1:80']) assert.equal(table.find(host), '192.0.2.1', host);
  for (const host of ['node1', 'node1:5000']) assert.equal(table.find(host), 'node1', host);
});

test('a name that only looks like one with a port is another name', () => {
  const table = tableOf('a.example', 'x');
  for (const host of ['a.example5', 'a.example80', '12345', '', ':', '5:x'])
    assert.equal(table.find(host), undefined, host);
});
