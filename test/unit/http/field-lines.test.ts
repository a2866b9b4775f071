import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldLinesOf, readFieldLines, withoutFieldLines } from '../../../src/http/field-lines.ts';

const block = Buffer.from('200 OK: yes\r\nA: 1\r\nB:2 \r\na:  \u00e43:4', 'latin1');

describe('field lines', () => {
  it('are read with names in lower case and trimmed values', () => {
    assert.deepEqual(readFieldLines(block).entries, ['a', '1', 'b', '2', 'a', '\u00e43:4']);
    assert.deepEqual(readFieldLines(Buffer.from('200 OK')).entries, []);
    assert.deepEqual(readFieldLines(Buffer.from('')).entries, []);
  });

  it('are left out by name, all of one name', () => {
    assert.equal(withoutFieldLines(block, new Set(['a'])).toString('latin1'), '200 OK: yes\r\nB:2 ');
    assert.equal(withoutFieldLines(block, new Set(['b'])).toString('latin1'), '200 OK: yes\r\nA: 1\r\na:  \u00e43:4');
    assert.equal(withoutFieldLines(block, new Set(['c', '200 ok'])), block);
  });

  it('are had without the status line', () => {
    assert.equal(fieldLinesOf(block, new Set(['a'])).toString('latin1'), '\r\nB:2 ');
    assert.equal(fieldLinesOf(Buffer.from('204 '), new Set()).length, 0);
  });
});
