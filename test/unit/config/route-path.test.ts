import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRoutePath } from '../../../src/config/route-path.ts';

describe('the path of a route', () => {
  test('is a path as it reads after normalisation', () => {
    for (const path of ['/', '/a', '/a/', '/a.b/c', '/...', '/ä', '/100%']) {
      assert.deepEqual(parseRoutePath(path, false), { value: path });
    }
  });

  test('may end in a star, which stands for everything below', () => {
    assert.deepEqual(parseRoutePath('/old/*', false), { value: '/old/' });
    assert.deepEqual(parseRoutePath('/*', false), { value: '/' });
    assert.ok('mistake' in parseRoutePath('/old/*', true));
  });

  test('is refused when it could never match', () => {
    for (const path of ['/a?b', '/a#b', '/%41', '//', '/a//b', '/./a', '/a/..', '/a\\b', '/*.php', '/a*', '/a\n']) {
      assert.ok('mistake' in parseRoutePath(path, false), JSON.stringify(path));
    }
  });
});
