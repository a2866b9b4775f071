import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomIds } from '../../../src/request/random-ids.ts';

test('ids are 32 hexadecimal digits and never the same, however many are made and by whomever', () => {
  const ids = new Set<string>();
  for (const source of [new RandomIds(), new RandomIds()]) {
    for (let index = 0; index < 5000; index++) {
      const id = source.make();
      assert.match(id, /^[0-9a-f]{32}$/);
      ids.add(id);
    }
  }
  assert.equal(ids.size, 10_000);
});
