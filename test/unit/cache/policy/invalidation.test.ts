import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { invalidatedBy } from '../../../../src/cache/policy/invalidation.ts';
import { fieldsFrom } from '../../../support/cache-exchange.ts';

describe('invalidatedBy', () => {
  it('gives each URL once, without fragments', () => {
    const lines = ['Location: ?b', 'Content-Location: /a?b#c'];
    assert.deepEqual(invalidatedBy('PUT', 200, 'http://h:8080/a?b', fieldsFrom(lines)), ['http://h:8080/a?b']);
  });

  it('gives nothing for a URL that is none', () => {
    assert.deepEqual(invalidatedBy('PUT', 200, '/a', fieldsFrom([])), []);
  });
});
