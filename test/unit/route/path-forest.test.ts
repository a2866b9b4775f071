import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PathForest } from '../../../src/route/path-forest.ts';
import { PathTree } from '../../../src/route/path-match.ts';

test('trees of one forest know nothing of one another', () => {
  const forest = new PathForest<string>();
  const trees = Array.from({ length: 500 }, (_, index) => {
    const tree = new PathTree(forest);
    tree.addPrefix('/', `root ${index}`);
    if (index % 2 === 0) tree.addExact(`/only-${index}`, `exact ${index}`);
    tree.finish();
    return tree;
  });
  for (const [index, tree] of trees.entries()) {
    assert.equal(tree.find('/')?.first, `root ${index}`);
    assert.equal(tree.find(`/only-${index}`)?.first, index % 2 === 0 ? `exact ${index}` : `root ${index}`);
    assert.equal(tree.find(`/only-${index + 2}`)?.first, `root ${index}`);
  }
});

test('among hundreds of beginnings each is found, and no other', () => {
  const tree = new PathTree<number>();
  const codes = Array.from({ length: 300 }, (_, index) => 0x40 + 7 * index);
  for (const code of codes) tree.addPrefix(`/${String.fromCharCode(code)}/x`, code);
  tree.finish();
  for (const code of codes) {
    assert.equal(tree.find(`/${String.fromCharCode(code)}/x/y`)?.first, code);
    assert.equal(tree.find(`/${String.fromCharCode(code + 1)}/x/y`), undefined);
    assert.equal(tree.find(`/${String.fromCharCode(code)}`), undefined);
  }
});

test('a tree without paths finds nothing', () => {
  const tree = new PathTree<number>();
  tree.finish();
  for (const path of ['/', '/a', '']) assert.equal(tree.find(path), undefined);
});

test('a tree takes no path once it is finished', () => {
  const tree = new PathTree<number>();
  tree.finish();
  assert.throws(() => tree.addExact('/a', 1), /finished/);
});
