import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileBodyMatch } from '../../../src/health/body-match.ts';

test('a text is found as its bytes in UTF-8', () => {
  const match = compileBodyMatch({ text: 'größe' });
  assert.equal(match(Buffer.from('die größe stimmt')), true);
  assert.equal(match(Buffer.from('die größe stimmt', 'latin1')), false);
});

test('a regular expression matches anywhere, with the ends of lines', () => {
  const match = compileBodyMatch({ matches: '^status: ok$' });
  assert.equal(match(Buffer.from('a\nstatus: ok\nb')), true);
  assert.equal(match(Buffer.from('status: okay')), false);
  assert.equal(match(Buffer.from('status: ok')), true, 'it keeps no state between bodies');
});

test('a regular expression that goes back and forth for ever is stopped and is no match', () => {
  const match = compileBodyMatch({ matches: '^(a+)+$' });
  assert.equal(match(Buffer.from(`${'a'.repeat(60)}b`)), false);
});

test('text that is no regular expression throws', () => {
  assert.throws(() => compileBodyMatch({ matches: '(' }), SyntaxError);
});
