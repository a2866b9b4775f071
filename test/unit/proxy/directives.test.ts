import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directive, directiveNames, parseRate } from '../../../src/proxy/directives.ts';
import { FieldKind, FieldNameTable } from '../../../src/upstream/field-name-table.ts';

test('the first field of a name counts, and an empty one is none', () => {
  const fields = ['x-accel-redirect', '/a', 'x-accel-redirect', '/b', 'x-sendfile', ''];
  assert.equal(directive(fields, 'x-accel-redirect'), '/a');
  assert.equal(directive(fields, 'x-sendfile'), undefined);
  assert.equal(directive([], 'x-sendfile'), undefined);
});

test('a rate is a number of bytes, or off', () => {
  assert.equal(parseRate('1000'), 1000);
  assert.equal(parseRate('0'), 0);
  assert.equal(parseRate('off'), 0);
  for (const value of ['-1', '1.5', '1k', ' ', 'fast', '1e9', '9'.repeat(16)])
    assert.equal(parseRate(value), undefined);
});

test('no route can let a directive through to the client', () => {
  const table = new FieldNameTable(directiveNames, directiveNames);
  for (const name of directiveNames) {
    const bytes = Buffer.from(name.toUpperCase());
    assert.equal(table.lookUp(bytes, 0, bytes.length), FieldKind.directive);
  }
});
