import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeHeads,
  decodeLayout,
  decodeTrailer,
  encodeSlot,
  encodeStart,
  encodeTrailer,
  fitsSlot,
  layoutFor,
  slotOffset,
  trailerBytes,
} from '../../../../src/cache/store/entry-format.ts';
import { decodeHead, encodeHead, type StoredHead } from '../../../../src/cache/store/head-codec.ts';
import { responseFor } from '../../../support/cache-stores.ts';

function headOf(key: string, etag: string): StoredHead {
  const response = { ...responseFor(key, { etag, tags: ['a', 'ä'], lastModified: 12 }), bodyLength: 100 };
  return { kind: 'response', storeKey: `${key} variant`, response };
}

test('gives back what was written, and of two heads the one written last', () => {
  const first = encodeHead(headOf('a.test/x', '"1"'));
  const layout = layoutFor(first.length, 77n, 100);
  const bytes = encodeStart(layout, first);
  assert.deepEqual(decodeLayout(bytes), layout);
  assert.deepEqual(decodeHeads(bytes, layout), { head: headOf('a.test/x', '"1"'), sequence: 1, index: 0 });
  const second = encodeHead(headOf('a.test/x', '"2"'));
  assert.ok(fitsSlot(layout, second));
  encodeSlot(second, 2).copy(bytes, slotOffset(layout, 1));
  assert.deepEqual(decodeHeads(bytes, layout), { head: headOf('a.test/x', '"2"'), sequence: 2, index: 1 });
});

test('finds the old head wherever the writing of the new one ended', () => {
  const first = encodeHead(headOf('a.test/x', '"1"'));
  const layout = layoutFor(first.length, 77n, 100);
  const start = encodeStart(layout, first);
  const former = encodeSlot(encodeHead(headOf('a.test/x', '"0"')), 0);
  // Its last byte is another too: otherwise the new one would be there before all of it was written.
  former[former.length - 1] = 0;
  former.copy(start, slotOffset(layout, 1));
  const slot = encodeSlot(encodeHead(headOf('a.test/x', '"2"')), 2);
  for (let end = 0; end < slot.length; end++) {
    const bytes = Buffer.from(start);
    slot.subarray(0, end).copy(bytes, slotOffset(layout, 1));
    assert.equal(decodeHeads(bytes, layout)?.sequence, 1, `cut after ${end} bytes`);
  }
});

test('takes no bytes for an entry that were not written as one, and never throws', () => {
  const head = encodeHead(headOf('a.test/x', '"1"'));
  const layout = layoutFor(head.length, 77n, 100);
  const start = encodeStart(layout, head);
  const trailer = encodeTrailer(layout, [1, 2, 3]);
  const bodyLength = 2 * 65_536 + 5;
  assert.equal(trailer.length, trailerBytes(bodyLength));
  assert.ok(decodeTrailer(trailer, layout, bodyLength));
  assert.equal(decodeTrailer(trailer, { ...layout, bodyNumber: 78n }, bodyLength), undefined);
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (position, change) => {
      const flipped = Buffer.from(trailer);
      const at = position % flipped.length;
      flipped[at] = (flipped[at] as number) ^ change;
      assert.equal(decodeTrailer(flipped, layout, bodyLength), undefined);
      const other = Buffer.from(start);
      const offset = position % (slotOffset(layout, 0) + 12 + head.length);
      other[offset] = (other[offset] as number) ^ change;
      const isPadding = offset >= 28 && offset < slotOffset(layout, 0);
      const found = decodeLayout(other);
      if (!isPadding && found !== undefined) assert.equal(decodeHeads(other, found), undefined);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeLayout(Buffer.from(bytes));
      decodeHeads(Buffer.from(bytes), layout);
      decodeHead(Buffer.from(bytes));
    }),
  );
});
