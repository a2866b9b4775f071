import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContentTypes } from '../../../src/static/content-types.ts';

describe('ContentTypes', () => {
  const types = new ContentTypes({ Foo: 'application/x-foo', css: 'text/css' });
  const cases: [file: string, type: string][] = [
    ['a.html', 'text/html; charset=utf-8'],
    ['a.HTML', 'text/html; charset=utf-8'],
    ['/x/y.js', 'text/javascript; charset=utf-8'],
    ['a.mjs', 'text/javascript; charset=utf-8'],
    ['a.json', 'application/json; charset=utf-8'],
    ['a.svg', 'image/svg+xml; charset=utf-8'],
    ['a.xml', 'application/xml; charset=utf-8'],
    ['a.webmanifest', 'application/manifest+json; charset=utf-8'],
    ['a.txt', 'text/plain; charset=utf-8'],
    ['a.png', 'image/png'],
    ['a.woff2', 'font/woff2'],
    ['a.wasm', 'application/wasm'],
    ['a.tar.gz', 'application/gzip'],
    ['README', 'application/octet-stream'],
    ['js', 'application/octet-stream'],
    ['a.', 'application/octet-stream'],
    ['a.nosuchtype', 'application/octet-stream'],
    ['a.constructor', 'application/octet-stream'],
    ['a.foo', 'application/x-foo'],
    ['a.css', 'text/css'],
  ];
  for (const [file, type] of cases) it(`gives ${file} as ${type}`, () => assert.equal(types.of(file), type));

  it('has another identity when it gives other answers', () => {
    assert.notEqual(types.identity, new ContentTypes().identity);
    assert.equal(new ContentTypes({ a: 'x', b: 'y' }).identity, new ContentTypes({ b: 'y', a: 'x' }).identity);
  });
});
