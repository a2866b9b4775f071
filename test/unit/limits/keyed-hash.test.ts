import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyedHash } from '../../../src/limits/keyed-hash.ts';

const secret = Buffer.from('0123456789abcdef');

function hashOf(parts: readonly string[], key: Uint8Array = secret): string {
  const hash = new KeyedHash(key);
  hash.begin();
  for (const part of parts) hash.feed(part);
  hash.finish();
  return `${hash.high} ${hash.low}`;
}

/** The algorithm as its paper has it, round by round. */
function reference(words: readonly number[], key0: number, key1: number): string {
  let [v0, v1, v2, v3] = [key0, key1 ^ 0xee, 0x6c796765 ^ key0, 0x74656462 ^ key1];
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  const round = (): void => {
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
  };
  for (const word of [...words, words.length << 24]) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
  v2 ^= 0xee;
  for (let count = 0; count < 3; count++) round();
  const high = v1 ^ v3;
  v1 ^= 0xdd;
  for (let count = 0; count < 3; count++) round();
  return `${high} ${v1 ^ v3}`;
}

describe('the hash of keys', () => {
  test('is HalfSipHash-1-3', () => {
    const word = Buffer.from('10.0').readInt32LE();
    const tail = Buffer.from('.1\0\0').readInt32LE();
    assert.equal(hashOf(['10.0.1']), reference([word, tail, 6], secret.readInt32LE(0), secret.readInt32LE(4)));
  });

  test('depends on the secret', () => {
    assert.notEqual(hashOf(['a']), hashOf(['a'], Buffer.from('0123456789abcdeF').subarray(8)));
  });

  test('takes parts apart, wherever one ends and the next begins', () => {
    const ways = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['abc'],
      ['', 'abc'],
      ['abc', ''],
      ['a', 'b', 'c'],
      ['abc\0'],
      ['ab\0', 'c'],
    ];
    assert.equal(new Set(ways.map((parts) => hashOf(parts))).size, ways.length);
  });

  test('is spread over all places, whatever the keys have in common', () => {
    const places = new Set<number>();
    for (let index = 0; index < 4096; index++) {
      places.add(Number(hashOf([`192.168.${index >> 8}.${index & 255}`]).split(' ')[1]) & 1023);
    }
    assert.ok(places.size > 1000, `${places.size} of 1024`);
  });

  test('takes keys of any length in bounded memory, and counts their length', () => {
    const long = 'x'.repeat(200_000);
    assert.equal(hashOf([long]), hashOf([long]));
    assert.notEqual(hashOf(['x'.repeat(1000)]), hashOf(['x'.repeat(1001)]));
    hashOf([long, long, long]);
  });
});
