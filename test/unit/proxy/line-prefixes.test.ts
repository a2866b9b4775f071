import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinePrefixes } from '../../../src/proxy/line-prefixes.ts';
import { RequestFieldRules } from '../../../src/proxy/request-field-rules.ts';

const rules = new RequestFieldRules(['x-removed']);

test('each name gets its own prefix, whatever stood in its place before', () => {
  const lines = new LinePrefixes(rules, false);
  const requests = [
    ['host', 'accept', 'cookie'],
    ['host', 'accept', 'cookie'],
    ['accept', 'host', 'x-removed', 'cookie'],
    ['cookie', 'x-forwarded-for', 'te', ''],
    ['', 'x'.repeat(100), 'x'.repeat(100)],
  ];
  for (const names of requests) {
    for (const [place, name] of names.entries()) {
      assert.equal(lines.prefix(2 * place, name), rules.linePrefix(name, false), name);
    }
  }
});

test('what is said about trusted proxies is not said about clients', () => {
  assert.equal(new LinePrefixes(rules, true).prefix(0, 'x-scheme'), '\r\nx-scheme: ');
  assert.equal(new LinePrefixes(rules, false).prefix(0, 'x-scheme'), '');
});

test('any number of fields is answered for', () => {
  const lines = new LinePrefixes(rules, false);
  for (let place = 0; place < 500; place++) assert.equal(lines.prefix(2 * place, 'accept'), '\r\naccept: ');
});
