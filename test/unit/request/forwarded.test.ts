import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseForwarded } from '../../../src/request/forwarded.ts';

const none = { for: undefined, host: undefined, proto: undefined };

// RFC 7239 section 4, its examples first.
const fields: readonly (readonly [field: string, elements: object[] | undefined])[] = [
  ['for="_gazonk"', [{ ...none, for: '_gazonk' }]],
  ['For="[2001:db8:cafe::17]:4711"', [{ ...none, for: '[2001:db8:cafe::17]:4711' }]],
  ['for=192.0.2.60;proto=http;by=203.0.113.43', [{ ...none, for: '192.0.2.60', proto: 'http' }]],
  [
    'for=192.0.2.43, for=198.51.100.17',
    [
      { ...none, for: '192.0.2.43' },
      { ...none, for: '198.51.100.17' },
    ],
  ],
  ['host="example.com:8080"; proto=https', [{ ...none, host: 'example.com:8080', proto: 'https' }]],
  ['for=192.0.2.43:4711', [{ ...none, for: '192.0.2.43:4711' }]],
  ['for="a\\"b,c;d"', [{ ...none, for: 'a"b,c;d' }]],
  ['', undefined],
  ['for', undefined],
  ['for=', undefined],
  ['for="open', undefined],
  ['for=a;', undefined],
  ['for=a,,for=b', undefined],
  ['for=a;for=b', undefined],
  ['for=a b', undefined],
];

for (const [field, elements] of fields) {
  test(`Forwarded: ${field} ${elements === undefined ? 'is malformed' : `has ${elements.length} elements`}`, () => {
    assert.deepEqual(parseForwarded(field), elements);
  });
}
