import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { pathRest } from '../../../src/http/path-rest.ts';
import { normalizePath } from '../../../src/request/path.ts';

const cases: readonly (readonly [raw: string, prefix: string, rest: string])[] = [
  ['/old', '/old', ''],
  ['/old/', '/old', '/'],
  ['/old/a', '/old', '/a'],
  ['/old/', '/old/', '/'],
  ['/old/a/b', '/old/', '/a/b'],
  ['/a/b', '/', '/a/b'],
  ['/', '/', '/'],
  ['/old/caf%C3%A9', '/old/', '/caf%C3%A9'],
  ['/o%6cd/a%20b', '/old/', '/a%20b'],
  ['/old//a', '/old/', '//a'],
  ['//old/a', '/old', '/a'],
  ['/./old/a', '/old', '/a'],
  ['/x/../old/a', '/old', '/a'],
  ['/old/a/../b', '/old', '/a/../b'],
  ['/old/../old/a', '/old', '/a'],
  ['/old/x/%2e%2e/%2E./old/a', '/old', '/a'],
  ['/old/.well-known/x', '/old/', '/.well-known/x'],
  ['/caf%C3%A9/x', '/café', '/x'],
  ['/a/b/c', '/a/b', '/c'],
];

for (const [raw, prefix, rest] of cases) {
  test(`the rest of ${raw} behind ${prefix} is ${rest === '' ? 'nothing' : rest}`, () => {
    assert.equal(pathRest(raw, prefix), rest);
  });
}

test('prefix and rest together are the path, whatever the spelling', () => {
  const segment = fc.constantFrom('old', 'o%6cd', 'a', '%61', '.', '..', '%2e%2e', '', '.x', 'old.');
  fc.assert(
    fc.property(
      fc.array(segment, { maxLength: 8 }),
      fc.constantFrom('/old', '/old/', '/old/a', '/'),
      (parts, prefix) => {
        const raw = `/${parts.join('/')}`;
        const path = normalizePath(raw);
        const bare = prefix.replace(/\/$/, '');
        if (path === undefined || (path !== prefix && !path.startsWith(`${bare}/`))) return;
        assert.equal(normalizePath(bare + pathRest(raw, prefix) || '/'), path);
      },
    ),
    { numRuns: 5000 },
  );
});
