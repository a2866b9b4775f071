import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coversHost } from '../../../src/tls/covers-host.ts';

test('a wildcard in a certificate stands for one label', () => {
  const names = new Set(['example.com', '*.example.com']);
  assert.ok(coversHost(names, 'example.com'));
  assert.ok(coversHost(names, 'www.example.com'));
  assert.ok(!coversHost(names, 'a.www.example.com'));
  assert.ok(!coversHost(names, 'example.org'));
  assert.ok(!coversHost(new Set(['*.com']), 'localhost'));
});

test('a site with a wildcard needs the same wildcard', () => {
  assert.ok(coversHost(new Set(['*.example.com']), '*.example.com'));
  assert.ok(!coversHost(new Set(['*.example.com', 'a.b.example.com']), '*.b.example.com'));
  assert.ok(!coversHost(new Set(['www.example.com']), '*.example.com'));
});
