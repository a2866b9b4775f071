import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheEntry } from '../../../src/static/cache-entry.ts';
import { SecondChanceList } from '../../../src/static/second-chance-list.ts';

const partition = { identity: '', entries: new Map(), pending: new Map() };

function entry(key: string): CacheEntry {
  return new CacheEntry(partition, key, { kind: 'redirect' }, 0);
}

/** Keys in the order in which they leave. */
function emptied(list: SecondChanceList): string[] {
  const keys: string[] = [];
  for (let { next } = list; next !== undefined; { next } = list) {
    keys.push(next.key);
    list.remove(next);
  }
  return keys;
}

function filled(keys: readonly string[]): { list: SecondChanceList; entries: CacheEntry[] } {
  const list = new SecondChanceList();
  const entries = keys.map(entry);
  for (const one of entries) list.add(one, 10);
  return { list, entries };
}

test('what was not used leaves in the order of coming', () => {
  assert.deepEqual(emptied(filled(['a', 'b', 'c']).list), ['a', 'b', 'c']);
});

test('what was used is passed over once, however often it was used', () => {
  const { list, entries } = filled(['a', 'b', 'c']);
  for (const one of [entries[0], entries[0], entries[2]]) if (one !== undefined) one.wasUsed = true;
  assert.deepEqual(emptied(list), ['b', 'a', 'c']);
});

test('where everything was used, one is found all the same, and soon', () => {
  const { list, entries } = filled(Array.from({ length: 1000 }, (_, index) => String(index)));
  for (const one of entries) one.wasUsed = true;
  const { next } = list;
  assert.ok(next !== undefined);
  assert.ok(entries.filter((one) => !one.wasUsed).length < 100);
  assert.equal(emptied(list).length, 1000);
});

test('bytes and length are those of what is in it', () => {
  const { list, entries } = filled(['a', 'b']);
  const [a, b] = entries as [CacheEntry, CacheEntry];
  list.resize(a, 25);
  assert.deepEqual([list.bytes, list.length], [35, 2]);
  list.remove(b);
  assert.deepEqual([list.bytes, list.length, b.bytes], [25, 1, 0]);
  list.remove(a);
  assert.deepEqual([list.bytes, list.length, list.next], [0, 0, undefined]);
});
