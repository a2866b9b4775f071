import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OriginList } from '../../../src/access/origin-list.ts';

describe('a list of origins', () => {
  const list = new OriginList(['https://shop.example', 'https://*.example.com', 'http://*.local:8080']);
  const named = ['https://shop.example', 'https://a.example.com', 'https://a.b.example.com', 'http://dev.local:8080'];
  for (const origin of named) test(`has ${origin}`, () => assert.equal(list.has(origin), true));

  const strangers = [
    'http://shop.example',
    'https://shop.example:8443',
    'https://shop.example.evil.test',
    'https://evil-shop.example',
    'https://example.com',
    'https://.example.com',
    'https://evilexample.com',
    'https://a.example.com.evil.test',
    'https://a.example.com:8443',
    'https://evil.test/.example.com',
    'https://evil.test#.example.com',
    'https://evil.test?.example.com',
    'https://evil.test\\.example.com',
    'https://a@.example.com',
    'https://a:80.example.com',
    'https://A.example.com',
    'https://a example.com',
    `https://${'a'.repeat(300)}.example.com`,
    'http://dev.local',
    'null',
    '',
    '*',
  ];
  for (const origin of strangers)
    test(`has not ${JSON.stringify(origin.slice(0, 40))}`, () => assert.equal(list.has(origin), false));

  test('of everybody has everybody', () => {
    assert.equal(new OriginList(['*']).has('https://any.test'), true);
  });
});
