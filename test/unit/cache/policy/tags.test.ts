import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tagsOf } from '../../../../src/cache/policy/tags.ts';
import { fieldsFrom } from '../../../support/cache-exchange.ts';

describe('tagsOf', () => {
  it('reads both fields, each tag once', () => {
    const lines = ['Cache-Tag: article-1, author 2 ,,article-1', 'Surrogate-Key:  a  b', 'Cache-Tag: b'];
    assert.deepEqual(tagsOf(fieldsFrom(lines)), ['article-1', 'author 2', 'b', 'a']);
    assert.deepEqual(tagsOf(fieldsFrom(['Cache-Tag:', 'X: y'])), []);
  });

  it('bounds how many and how long they are', () => {
    const many = Array.from({ length: 500 }, (_value, index) => `t${index}`);
    assert.equal(tagsOf(fieldsFrom([`Cache-Tag: ${many.join()}`, `Surrogate-Key: ${many.join(' ')}`])).length, 128);
    assert.deepEqual(tagsOf(fieldsFrom([`Cache-Tag: ${'x'.repeat(257)}, y`])), ['y']);
  });
});
