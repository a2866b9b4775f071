import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldBytes } from '../../../../src/cache/collapse/held-bytes.ts';

test('held bytes are found by position, and let go from the front', () => {
  const held = new HeldBytes();
  const memory = Buffer.from('abc');
  held.append(10, memory);
  memory.fill('x');
  held.append(13, Buffer.from('defg'));
  assert.equal(held.start, 10);
  assert.equal(held.length, 7);
  assert.equal(held.from(9), undefined);
  assert.equal(held.from(10)?.toString(), 'abc', 'a copy');
  assert.equal(held.from(14)?.toString(), 'efg');
  assert.equal(held.from(17), undefined);
  held.dropBefore(14);
  assert.equal(held.from(12), undefined);
  assert.equal(held.from(13)?.toString(), 'defg', 'pieces go whole');
  held.dropBefore(20);
  assert.equal(held.length, 0);
  assert.equal(held.start, 20);
});
