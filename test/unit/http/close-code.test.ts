import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeCodeLabel, maySendCloseCode } from '../../../src/http/close-code.ts';

test('only codes that RFC 6455 and its registry know may be sent', () => {
  const allowed = [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
  for (const code of allowed) assert.equal(maySendCloseCode(code), true, String(code));
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]) {
    assert.equal(maySendCloseCode(code), false, String(code));
  }
});

test('labels are few, whatever codes come', () => {
  const labels = new Set<string>();
  for (let code = 0; code < 65_536; code++) labels.add(closeCodeLabel(code));
  assert.ok(labels.size < 20, [...labels].join(' '));
  assert.equal(closeCodeLabel(1005), 'none');
  assert.equal(closeCodeLabel(1006), 'lost');
  assert.equal(closeCodeLabel(3123), '3xxx');
  assert.equal(closeCodeLabel(4321), '4xxx');
  assert.equal(closeCodeLabel(77), 'other');
});
