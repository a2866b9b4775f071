import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { normalizePath } from '../../../src/request/path.ts';

/** Segments that tease: dots, escapes of them, of slashes, of letters, of broken things. */
const segment = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '...',
    '.a',
    '%2e',
    '%2E%2e',
    '.%2e',
    '',
    'a',
    'b.c',
    '%41',
    '%20',
    '%c3%a9',
    '%ff',
    '%25',
  ),
  fc.string({ unit: fc.constantFrom('a', 'Z', '.', '-', '~', '%2e', '%25', '%E2%82%AC', ';', '='), maxLength: 6 }),
);
const path = fc.array(segment, { maxLength: 8 }).map((segments) => `/${segments.join('/')}`);
const anyText = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => `/${text}`);

/** The same by other means: decode each segment, then keep a stack. */
function normalizeNaively(rawPath: string): string | undefined {
  if (!rawPath.startsWith('/')) return undefined;
  const stack: string[] = [];
  const segments = rawPath.slice(1).split('/');
  let folder = false;
  for (const raw of segments) {
    if (/%(?![0-9a-f]{2})/i.test(raw)) return undefined;
    const bytes = raw.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    // oxlint-disable-next-line no-control-regex
    if (/[\0-\x1f\x7f/\\]|[^\0-\xff]/.test(bytes)) return undefined;
    folder = bytes === '' || bytes === '.' || bytes === '..';
    if (bytes === '..') {
      if (stack.pop() === undefined) return undefined;
    } else if (bytes !== '' && bytes !== '.') {
      stack.push(bytes);
    }
  }
  const joined = `/${stack.join('/')}${folder && stack.length > 0 ? '/' : ''}`;
  const text = Buffer.from(joined, 'latin1').toString('utf8');
  return Buffer.from(text, 'utf8').toString('latin1') === joined ? text : joined;
}

test('a plain path comes back as the very same string', () => {
  for (const plain of ['/', '/a', '/a/b.c', '/static/app.55e7cbb9ba48.css', "/a-b_c~d!$&'()*+,;=:@"]) {
    assert.equal(normalizePath(plain), plain);
  }
});

test('every path normalises as a decoder with a stack says', () => {
  fc.assert(
    fc.property(fc.oneof(path, anyText), (rawPath) => {
      assert.equal(normalizePath(rawPath), normalizeNaively(rawPath));
    }),
    { numRuns: 2000 },
  );
});

test('a normalised path has no dot segment, no double slash, no backslash and no control character', () => {
  fc.assert(
    fc.property(fc.oneof(path, anyText), (rawPath) => {
      const normal = normalizePath(rawPath);
      if (normal === undefined) return;
      assert.match(normal, /^\//);
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(normal, /\/\/|\/\.{1,2}(?:\/|$)|\\|[\0-\x1f\x7f]/);
    }),
    { numRuns: 2000 },
  );
});

test('normalising again changes nothing, where nothing looks like an escape', () => {
  fc.assert(
    fc.property(path, (rawPath) => {
      const normal = normalizePath(rawPath);
      // Beyond ASCII a path that stands decoded is no longer what a client sends.
      if (normal === undefined || !/^[\x20-\x7e]*$/.test(normal) || normal.includes('%')) return;
      assert.equal(normalizePath(normal), normal);
    }),
    { numRuns: 2000 },
  );
});

test('escaping every letter of a plain path changes nothing', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'Q', '7', '-', '/', 'é'), maxLength: 12 });
  fc.assert(
    fc.property(letters, (text) => {
      const plain = `/x${text}`.replaceAll(/\/+/g, '/');
      const escaped = [...Buffer.from(plain)]
        .map((byte) => (byte === 0x2f ? '/' : `%${byte.toString(16).padStart(2, '0')}`))
        .join('');
      assert.equal(normalizePath(escaped), plain);
    }),
  );
});
