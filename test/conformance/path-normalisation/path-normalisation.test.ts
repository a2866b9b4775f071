import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizePath } from '../../../src/request/path.ts';

// RFC 3986 sections 2.1 (escapes), 5.2.4 (dot segments) and 6.2.2 (equivalence); what is refused goes beyond it on purpose.
const accepted: readonly (readonly [name: string, raw: string, normal: string])[] = [
  ['the root', '/', '/'],
  ['a space', '/a%20b', '/a b'],
  ['UTF-8', '/caf%C3%A9', '/café'],
  ['UTF-8 of four bytes', '/%F0%9F%98%80', '/😀'],
  ['bytes that are not UTF-8, as Latin-1', '/caf%E9', '/café'],
  ['an overlong slash, which is no slash in UTF-8', '/%C0%AF', '/À¯'],
  ['an encoded surrogate, which is not UTF-8', '/%ED%A0%80', '/í\u{a0}\u{80}'],
  ['raw bytes beyond ASCII', '/caf\xc3\xa9', '/café'],
  ['escapes in either case', '/%7e%7E', '/~~'],
  ['an escape that is decoded once only', '/%2541', '/%41'],
  ['an encoded percent sign before dots', '/%252e%252e/a', '/%2e%2e/a'],
  ['a single dot', '/./a', '/a'],
  ['a single dot at the end', '/a/.', '/a/'],
  ['an encoded single dot', '/%2e/a', '/a'],
  ['double dots', '/a/../b', '/b'],
  ['double dots at the end', '/a/b/..', '/a/'],
  ['double dots back to the root', '/a/..', '/'],
  ['encoded double dots', '/a/%2e%2E/b', '/b'],
  ['half-encoded double dots', '/a/.%2e/b', '/b'],
  ['the example of RFC 3986', '/a/b/c/./../../g', '/a/g'],
  ['three dots, which are a name', '/.../a', '/.../a'],
  ['a name that begins with dots', '/..a/.b', '/..a/.b'],
  ['double slashes', '/a//b///c', '/a/b/c'],
  ['double slashes in front', '//a', '/a'],
  ['double slashes at the end', '/a//', '/a/'],
  ['double dots behind a double slash', '/a//../b', '/b'],
  ['semicolons and equals signs', '/a;v=1/b', '/a;v=1/b'],
  ['encoded question mark and hash', '/a%3Fb%23c', '/a?b#c'],
];

const refused: readonly (readonly [name: string, raw: string])[] = [
  ['nothing at all', ''],
  ['an asterisk', '*'],
  ['a path without a slash in front', 'a/b'],
  ['dots that leave the root', '/..'],
  ['dots that leave the root on the way', '/a/../../b'],
  ['encoded dots that leave the root', '/%2e%2e/etc/passwd'],
  ['dots that leave the root behind double slashes', '//..'],
  ['dots that leave the root behind a single dot', '/./../a'],
  ['an encoded slash', '/a%2fb'],
  ['an encoded slash in capitals', '/a%2Fb'],
  ['an encoded slash between dots', '/..%2f..%2fetc/passwd'],
  ['a backslash', '/a\\b'],
  ['an encoded backslash', '/a%5cb'],
  ['dots between backslashes', '/..\\..\\windows'],
  ['an encoded NUL', '/a%00b'],
  ['a raw NUL', '/a\0b'],
  ['an encoded line feed', '/a%0Ab'],
  ['an encoded carriage return', '/a%0d%0aX:%20y'],
  ['a raw tab', '/a\tb'],
  ['an encoded delete', '/a%7f'],
  ['an escape of one digit', '/a%2'],
  ['an escape without digits', '/a%'],
  ['an escape of other letters', '/%zz'],
  ['an escape in the manner of JavaScript', '/%u002e'],
  ['a sign in an escape', '/%+1'],
  ['a character of more than a byte', '/\u2215etc'],
];

for (const [name, raw, normal] of accepted) {
  test(`a path with ${name} is ${JSON.stringify(normal)}`, () => {
    assert.equal(normalizePath(raw), normal);
  });
}

for (const [name, raw] of refused) {
  test(`${name} is refused as a path`, () => {
    assert.equal(normalizePath(raw), undefined);
  });
}
