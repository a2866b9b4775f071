import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasLine, linesWithout } from '../../../src/response/field-lines.ts';
import { serializeFields } from '../../../src/response/response-head.ts';

const lines = serializeFields([
  ['X-A', 'content-type: x'],
  ['Content-Type', 'a'],
  ['X-B', 'caf\xe9'],
]);

test('lines of the given names go, the others stay byte for byte', () => {
  assert.equal(linesWithout(lines, ['content-type']).toString('latin1'), '\r\nX-A: content-type: x\r\nX-B: caf\xe9');
  assert.deepEqual(linesWithout(lines, ['x-c']), lines);
  assert.equal(linesWithout(lines, ['x-a', 'x-b', 'content-type']).length, 0);
  assert.equal(linesWithout(Buffer.alloc(0), ['x-a']).length, 0);
});

test('a line is known by its name alone', () => {
  assert.equal(hasLine(lines, 'content-type'), true);
  assert.equal(hasLine(lines, 'x-c'), false);
  assert.equal(hasLine(Buffer.alloc(0), 'x-a'), false);
});
