import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeadBlock } from '../../../src/upstream/head-block.ts';

const text = (block: HeadBlock): string => block.view().toString('latin1');

describe('the block of a response head', () => {
  test('holds what was appended, short and long, in order, byte for byte', () => {
    const block = new HeadBlock();
    const long = 'é'.repeat(300);
    block.append(Buffer.from('200 OK'));
    block.appendText('\r\nX-Short: \u00ff\u0080');
    block.appendText(`\r\nX-Long: ${long}`);
    block.append(Buffer.from(`\r\nX-Bytes: ${'b'.repeat(100)}`));
    assert.equal(text(block), `200 OK\r\nX-Short: \u00ff\u0080\r\nX-Long: ${long}\r\nX-Bytes: ${'b'.repeat(100)}`);
  });

  test('takes text that was put together of pieces, and cut out of others', () => {
    const block = new HeadBlock();
    const joined = `${'a'.repeat(20)}${String(Math.PI)}`;
    block.appendText(joined);
    block.appendText(joined.slice(3, 33));
    assert.equal(text(block), joined + joined.slice(3, 33));
  });

  test('gives views of its present content for heads of the same length, also after it has grown', () => {
    const block = new HeadBlock();
    block.appendText('first');
    assert.equal(text(block), 'first');
    block.clear();
    block.appendText('other');
    assert.equal(text(block), 'other');
    block.clear();
    block.appendText('x'.repeat(20_000));
    assert.equal(text(block), 'x'.repeat(20_000));
    block.clear();
    block.appendText('third');
    assert.equal(text(block), 'third');
  });

  test('gives right views for more lengths than it remembers', () => {
    const block = new HeadBlock();
    for (let round = 0; round < 2; round++) {
      for (let length = 1; length <= 600; length++) {
        block.clear();
        block.appendText(String(round).repeat(length));
        assert.equal(text(block), String(round).repeat(length));
      }
    }
  });
});
