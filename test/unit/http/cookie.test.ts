import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestCookie } from '../../../src/http/cookie.ts';
import { HeaderFields } from '../../../src/http/header-fields.ts';

function cookie(name: string, ...values: string[]): string | undefined {
  return requestCookie(new HeaderFields(values.flatMap((value) => ['cookie', value])), name);
}

test('a cookie is found wherever it stands', () => {
  assert.equal(cookie('b', 'a=1; b=2; c=3'), '2');
  assert.equal(cookie('a', 'a=1;b=2'), '1');
  assert.equal(cookie('c', ' a=1 ;; c=3 '), '3');
  assert.equal(cookie('b', 'a=1', 'b=2'), '2', 'in a second field, as HTTP/2 may split them');
});

test('the first of that name counts', () => {
  assert.equal(cookie('a', 'a=1; a=2'), '1');
});

test('names are compared whole and in their case', () => {
  assert.equal(cookie('a', 'aa=1; xa=2; A=3; ab=4'), undefined);
  assert.equal(cookie('a', 'x="; a=1'), '1');
});

test('a value is taken as it stands', () => {
  assert.equal(cookie('a', 'a='), '');
  assert.equal(cookie('a', 'a="q=1"; b=2'), '"q=1"');
  assert.equal(cookie('a', 'a'), undefined);
  assert.equal(cookie('a'), undefined);
});
