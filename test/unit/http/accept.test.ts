import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { preferredMediaType } from '../../../src/http/accept.ts';

describe('preferredMediaType', () => {
  const cases: [field: string | undefined, preferred: string][] = [
    [undefined, 'text/html'],
    ['*/*', 'text/html'],
    ['application/json', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['text/html;q=0.5, application/json', 'application/json'],
    ['text/html, application/json', 'text/html'],
    ['text/html;q=0, */*', 'application/json'],
    ['application/*', 'application/json'],
    ['image/png', 'text/html'],
    ['APPLICATION/JSON', 'application/json'],
    ['', 'text/html'],
    [';;;,,q=1', 'text/html'],
  ];
  for (const [field, preferred] of cases) {
    it(`answers ${field ?? 'no field'} with ${preferred}`, () => {
      assert.equal(preferredMediaType(field, ['text/html', 'application/json']), preferred);
    });
  }
});
