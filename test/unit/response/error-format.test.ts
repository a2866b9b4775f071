import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseErrorFormat } from '../../../src/response/error-format.ts';

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

const choices: readonly (readonly [accept: string | undefined, format: string])[] = [
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/plain', 'text'],
  ['image/png, */*;q=0.1', 'text'],
  [browser, 'html'],
  ['TEXT/HTML', 'html'],
  ['application/xhtml+xml', 'html'],
  ['application/json', 'json'],
  ['application/json, text/plain, */*', 'json'],
  ['application/problem+json', 'json'],
  ['application/vnd.api+json;version=1', 'json'],
  ['application/json, text/html', 'json'],
  ['text/html, application/json', 'html'],
  ['text/html;q=0.5, application/json', 'json'],
  ['application/json;q=0.5, text/html;q=0.6', 'html'],
  ['application/json;q=0, text/html;q=0.1', 'html'],
  ['application/json;q=0', 'text'],
  ['application/jsonp', 'text'],
];

for (const [accept, format] of choices) {
  test(`Accept ${accept === undefined ? 'left out' : JSON.stringify(accept)} asks for ${format}`, () => {
    assert.equal(chooseErrorFormat(accept), format);
  });
}
