import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CacheKeeperIndex } from '../../../src/primary/cache-keeper-index.ts';

function hashOf(text: string | number): string {
  return createHash('sha256').update(String(text)).digest('hex').slice(0, 32);
}

function file(name: string | number, usedAt: number, bytes = 4096, tags: readonly string[] = []) {
  return { hash: hashOf(name), bytes, usedAt, key: `example.com/page/${name}?a=1 x`, tags };
}

test('finds what was put in and forgets what was taken out, in the order of use, whatever happens in between', () => {
  const operation = fc.record({
    kind: fc.constantFrom('set', 'use', 'remove'),
    name: fc.integer({ min: 0, max: 40 }),
    blocks: fc.integer({ min: 1, max: 9 }),
    tags: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const index = new CacheKeeperIndex();
      const model = new Map<string, { bytes: number; usedAt: number; tags: readonly string[] }>();
      operations.forEach(({ kind, name, blocks, tags }, step) => {
        const hash = hashOf(name);
        const usedAt = step + 1;
        const former = model.get(hash);
        if (kind === 'set') {
          assert.equal(index.set(file(name, usedAt, blocks * 4096, tags)), former !== undefined);
          model.delete(hash);
          model.set(hash, { bytes: blocks * 4096, usedAt, tags });
        } else if (kind === 'use') {
          assert.equal(index.use(hash, usedAt), former !== undefined);
          if (former === undefined) return;
          model.delete(hash);
          model.set(hash, { ...former, usedAt });
        } else {
          assert.equal(index.remove(hash), former?.bytes ?? 0);
          model.delete(hash);
        }
      });
      assert.deepEqual(index.all(), [...model.keys()]);
      assert.equal(index.length, model.size);
      assert.equal(
        index.bytes,
        [...model.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      );
      const tagged = [...model].filter(([, { tags }]) => tags.includes('b')).map(([hash]) => hash);
      assert.deepEqual(index.candidates({ kind: 'tag', tag: 'b' }), tagged);
    }),
  );
});

test('keeps 100,000 entries in less than 300 bytes each, and finds every one', () => {
  const index = new CacheKeeperIndex();
  for (let name = 0; name < 100_000; name++)
    index.set(file(name, 1 + (name >> 8), 8192, ['model', `page-${name}`, 'site']));
  assert.equal(index.length, 100_000);
  assert.ok(index.memoryBytes / index.length <= 300, `${index.memoryBytes / index.length} bytes an entry`);
  for (let name = 0; name < 100_000; name += 97) assert.ok(index.has(hashOf(name)));
  assert.equal(index.leastRecent()?.usedAt, 1);
});

test('brings entries that come in any order into that of their last use', () => {
  const index = new CacheKeeperIndex();
  const times = [50, 10, 40, 20, 30].map((seconds) => 1_900_000_000 + seconds);
  for (const time of times) index.load(file(time, time));
  index.sort();
  assert.deepEqual(
    index.all(),
    times.toSorted((a, b) => a - b).map((time) => hashOf(time)),
  );
  index.use(hashOf(1_900_000_010), 1_900_000_060);
  assert.equal(index.leastRecent()?.usedAt, 1_900_000_020);
});

test('gives candidates by URL whatever the query, by host, and for a prefix all of its host', () => {
  const index = new CacheKeeperIndex();
  index.set({ ...file(1, 1), key: 'a.test/x?y=1' });
  index.set({ ...file(2, 2), key: 'a.test/x' });
  index.set({ ...file(3, 3), key: 'a.test/z cookie' });
  index.set({ ...file(4, 4), key: 'b.test/x' });
  const url = { kind: 'url', host: 'a.test', path: '/x', query: undefined } as const;
  assert.deepEqual(index.candidates(url), [hashOf(1), hashOf(2)]);
  assert.deepEqual(index.candidates({ kind: 'host', host: 'a.test' }), [hashOf(1), hashOf(2), hashOf(3)]);
  assert.deepEqual(index.candidates({ kind: 'prefix', host: 'b.test', path: '/' }), [hashOf(4)]);
  assert.equal(index.candidates({ kind: 'everything' }).length, 4);
});

test('says when a file should be told of its last use', () => {
  const index = new CacheKeeperIndex();
  index.set(file(1, 100));
  index.use(hashOf(1), 130);
  assert.equal(index.shouldNote(hashOf(1), 60), false);
  index.use(hashOf(1), 170);
  assert.equal(index.shouldNote(hashOf(1), 60), true);
  assert.equal(index.shouldNote(hashOf(1), 60), false);
});
