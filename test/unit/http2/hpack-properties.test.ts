import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder, type TableField } from '../../../src/http2/hpack-decoder.ts';
import { decodeHuffman } from '../../../src/http2/huffman.ts';
import { encodeHuffman, HpackBlocks, type Representation } from '../../support/hpack-blocks.ts';

const tableBytes = 4096;
const text = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const name = fc.oneof(fc.constantFrom(':path', 'cookie', 'accept', 'x-a', 'x-b'), text);
const value = fc.oneof(fc.constantFrom('/', '', 'a', 'b'.repeat(3000)), text);
const how = fc.constantFrom<Representation>('indexed', 'incremental', 'plain', 'never');
const field = fc.tuple(name, value, how, fc.boolean());
const resize = fc.option(fc.integer({ min: 0, max: tableBytes }), { nil: undefined, freq: 4 });
const blocks = fc.array(fc.tuple(resize, fc.array(field, { maxLength: 8 })), { maxLength: 8 });

function decoder(): HpackDecoder {
  return new HpackDecoder(tableBytes, () => undefined);
}

describe('header blocks of any kind', () => {
  test('are decoded to what was encoded, however it is written, over all blocks of a connection', () => {
    fc.assert(
      fc.property(blocks, (all) => {
        const encoder = new HpackBlocks();
        const hpack = decoder();
        for (const [size, fields] of all) {
          const front = size === undefined ? [] : [encoder.resize(size)];
          const block = Buffer.concat([...front, ...fields.map((one) => encoder.field(...one))]);
          const read: (readonly [string, string])[] = [];
          const fault = hpack.decode(block, 1e9, (one) => void read.push([one.name, one.value]));
          assert.equal(fault, undefined);
          assert.deepEqual(
            read,
            fields.map(([one, other]) => [one, other]),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  test('hold no more than the table may, whatever comes: nothing throws, and a fault is one of those that are known', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom('3fe11f', '20', '82', '400161017a', '4001618100', 'be', 'ff00', '3fe21f')
        .map((hex) => Buffer.from(hex, 'hex')),
    );
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 10 }), { maxLength: 10 }), (all) => {
        const hpack = decoder();
        for (const pieces of all) {
          const taken: TableField[] = [];
          const fault = hpack.decode(Buffer.concat(pieces), 2000, (one) => void taken.push(one));
          assert.ok(fault === undefined || fault === 'compression' || fault === 'too-large');
          const size = taken.reduce((sum, one) => sum + one.name.length + one.value.length + 32, 0);
          assert.ok(size <= 2000, `${size} bytes of fields were given`);
        }
        assert.ok(heldBytes(hpack) <= tableBytes);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('texts in the Huffman code', () => {
  test('are decoded to what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const coded = encodeHuffman(Buffer.from(bytes).toString('latin1'));
        const out = Buffer.alloc(coded.length * 2);
        assert.equal(decodeHuffman(coded, 0, coded.length, out), bytes.length);
        assert.deepEqual(out.subarray(0, bytes.length), Buffer.from(bytes));
      }),
    );
  });

  test('are either what their encoding gives again, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const out = Buffer.alloc(bytes.length * 2);
        const length = decodeHuffman(bytes, 0, bytes.length, out);
        if (length !== undefined) {
          assert.deepEqual(encodeHuffman(out.toString('latin1', 0, length)), Buffer.from(bytes));
        }
      }),
      { numRuns: 3000 },
    );
  });
});

/** What the table holds, as RFC 7541 section 4.1 counts: every index behind the fixed ones is asked for. */
function heldBytes(hpack: HpackDecoder): number {
  let bytes = 0;
  for (let index = 62; ; index++) {
    const block =
      index < 127
        ? [0x80 | index]
        : index < 255
          ? [0xff, index - 127]
          : [0xff, ((index - 127) & 127) | 128, (index - 127) >> 7];
    const fault = hpack.decode(Buffer.from(block), 1e9, (one) => (bytes += one.name.length + one.value.length + 32));
    if (fault !== undefined) return bytes;
  }
}
