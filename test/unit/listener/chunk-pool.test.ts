import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkPool, smallPieceBytes } from '../../../src/listener/chunk-pool.ts';

function piece(bytes: number, value: number): ArrayBuffer {
  return new Uint8Array(bytes).fill(value).buffer;
}

test('a copy has the bytes of the piece and does not follow it', () => {
  const pool = new ChunkPool();
  for (const bytes of [0, 1, 65_535, 65_536, 100_000, 524_288, 600_000]) {
    const source = piece(bytes, 7);
    const copy = pool.copy(source);
    new Uint8Array(source).fill(9);
    assert.equal(copy.length, bytes);
    assert.ok(copy.every((byte) => byte === 7));
  }
});

test('memory given back is used again, that of a chunk still in use is not', () => {
  const pool = new ChunkPool();
  const first = pool.copy(piece(200_000, 1));
  const second = pool.copy(piece(200_000, 2));
  pool.release(first);
  const third = pool.copy(piece(300_000, 3));
  assert.equal(third.buffer, first.buffer);
  assert.notEqual(third.buffer, second.buffer);
  assert.ok(second.every((byte) => byte === 2));
});

test('giving back twice, or what came from elsewhere, hands no memory out twice', () => {
  const pool = new ChunkPool();
  const chunk = pool.copy(piece(200_000, 1));
  pool.release(chunk);
  pool.release(chunk);
  pool.release(Buffer.alloc(200_000));
  assert.notEqual(pool.copy(piece(200_000, 2)).buffer, pool.copy(piece(200_000, 3)).buffer);
});

test('memory of small bodies is used again when it was given back', () => {
  const pool = new ChunkPool();
  const first = pool.lendSmall(piece(10_240, 1));
  const second = pool.lendSmall(piece(smallPieceBytes, 2));
  assert.notEqual(first.memory, second.memory);
  pool.giveBack(first);
  const third = pool.lendSmall(piece(1, 3));
  assert.equal(third.memory, first.memory);
  assert.deepEqual([...third.view], [3]);
  assert.equal(second.view.length, smallPieceBytes);
  assert.ok(second.view.every((byte) => byte === 2));
});
