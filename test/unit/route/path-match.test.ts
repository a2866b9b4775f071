import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { PathMatch } from '../../../src/route/path-forest.ts';
import { PathTree } from '../../../src/route/path-match.ts';

interface Entry {
  readonly path: string;
  readonly exact: boolean;
}

/** What matches, in the order in which it is to be tried, by looking at every entry. */
function matchNaively(entries: readonly Entry[], path: string): Entry[] {
  const takes = ({ path: own, exact }: Entry): boolean =>
    own === path || (!exact && path.startsWith(own.endsWith('/') ? own : `${own}/`));
  const rank = ({ path: own, exact }: Entry): number => (exact ? Number.POSITIVE_INFINITY : own.length);
  return entries.filter(takes).toSorted((a, b) => rank(b) - rank(a) || 0);
}

function treeOf(entries: readonly Entry[]): PathTree<Entry> {
  const tree = new PathTree<Entry>();
  for (const entry of entries) {
    if (entry.exact) tree.addExact(entry.path, entry);
    else tree.addPrefix(entry.path, entry);
  }
  tree.finish();
  return tree;
}

function inOrder(tree: PathTree<Entry>, path: string): Entry[] {
  const found: Entry[] = [];
  for (let match: PathMatch<Entry> | undefined = tree.find(path); match !== undefined; match = match.shorter) {
    found.push(...match.values);
  }
  return found;
}

// Few letters, so that paths often share a beginning inside a segment.
const path = fc
  .array(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 3 }), { maxLength: 5 })
  .map((segments) => `/${segments.join('/')}`.replaceAll(/\/+/g, '/'));
const entry = fc.record({ path, exact: fc.boolean() });

test('the tree finds what a look at every entry finds, in the same order', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 30 }),
      fc.array(path, { minLength: 1, maxLength: 30 }),
      (entries, paths) => {
        const tree = treeOf(entries);
        for (const wanted of [...paths, ...entries.map(({ path: own }) => own)]) {
          assert.deepEqual(inOrder(tree, wanted), matchNaively(entries, wanted), wanted);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('ten thousand paths each find themselves', () => {
  const entries = Array.from({ length: 10_000 }, (_, index) => ({ path: `/app-${index}/v${index % 7}`, exact: false }));
  const tree = treeOf([...entries, { path: '/', exact: false }]);
  for (const own of entries) {
    assert.equal(tree.find(`${own.path}/x`)?.values[0], own);
    assert.equal(tree.find(`${own.path}x`)?.values[0]?.path, '/');
  }
});

test('an empty tree finds nothing', () => {
  assert.equal(treeOf([]).find('/'), undefined);
});
