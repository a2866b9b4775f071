import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listElements, listNames } from '../../../src/http/list-elements.ts';

test('a list is taken apart at its commas, without the blanks around them', () => {
  assert.deepEqual(listElements('a,b/1 ,\tC'), ['a', 'b/1', 'C']);
  assert.deepEqual(listElements('a,,b'), ['a', '', 'b']);
  assert.deepEqual(listElements(undefined), []);
});

test('an element is found in any case, and as a whole only', () => {
  assert.equal(listNames('keep-alive, UPGRADE', 'upgrade'), true);
  assert.equal(listNames('upgrades, x-upgrade', 'upgrade'), false);
  assert.equal(listNames(undefined, 'upgrade'), false);
});
