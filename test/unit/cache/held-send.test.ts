import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HeldMemory, sendHeldParts } from '../../../src/cache/held-send.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

class CountedMemory implements HeldMemory {
  readonly calls: string[] = [];

  pin(): void {
    this.calls.push('pin');
  }

  unpin(wasPinned: boolean): void {
    this.calls.push(`unpin ${wasPinned}`);
  }
}

const parts = ['one ', 'two ', 'three'].map((text) => Buffer.from(text));
const response = { head: responseHead(206, []), length: 13, segments: [] };

describe('a body in several parts that is in memory', () => {
  test('goes out at once to a client that takes it, and is not pinned', () => {
    const exchange = new FakeExchange();
    const memory = new CountedMemory();
    sendHeldParts(exchange, response, parts, memory);
    assert.equal(exchange.complete, true);
    assert.equal(exchange.responseBody.toString(), 'one two three');
    assert.deepEqual(memory.calls, ['unpin false']);
  });

  test('is pinned once for a client that stops after every part, and comes whole', () => {
    const exchange = new FakeExchange();
    const memory = new CountedMemory();
    exchange.stall();
    sendHeldParts(exchange, response, parts, memory);
    assert.deepEqual(exchange.chunkSizes, [4]);
    for (const part of parts) {
      assert.equal(exchange.complete, false);
      exchange.drain(part.length);
    }
    assert.equal(exchange.complete, true);
    assert.equal(exchange.responseBody.toString(), 'one two three');
    assert.deepEqual(memory.calls, ['pin', 'unpin true']);
  });

  test('is let go when the client leaves, before it begins or in the middle', () => {
    const exchange = new FakeExchange();
    const memory = new CountedMemory();
    exchange.stall();
    sendHeldParts(exchange, response, parts, memory);
    exchange.disconnect();
    assert.deepEqual(memory.calls, ['pin', 'unpin true']);
    sendHeldParts(exchange, response, parts, memory);
    assert.deepEqual(memory.calls, ['pin', 'unpin true', 'unpin false']);
    assert.equal(exchange.complete, false);
  });
});
