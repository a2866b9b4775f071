import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { ReadBuffers } from '../../../src/upstream/read-buffers.ts';
import { UpstreamSocket } from '../../../src/upstream/upstream-socket.ts';

test('a connection begins with little memory, and gets more once it has read that full', () => {
  const buffers = new ReadBuffers();
  const small = buffers.take();
  assert.equal(buffers.next(small, small.length - 1), small);
  const large = buffers.next(small, small.length);
  assert.ok(large.length > small.length);
  assert.equal(buffers.next(large, large.length), large);
  assert.equal(buffers.next(large, 1), large);
});

test('what is given back is lent again, each size for what it is', () => {
  const buffers = new ReadBuffers();
  const small = buffers.take();
  const large = buffers.next(small, small.length);
  buffers.give(large);
  buffers.give(small);
  assert.equal(buffers.take(), small);
  assert.equal(buffers.next(small, small.length), large);
  assert.notEqual(buffers.take(), small);
});

// What lets a connection change its memory: Node.js asks behind each read, and reads into what it was given last.
test('a socket reads into the memory that it was given behind the read before', async () => {
  const sent = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251));
  const server = createServer((peer) => peer.end(sent));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  let memory = Buffer.alloc(16);
  const read: Buffer[] = [];
  const socket = new UpstreamSocket(
    () => memory,
    (count) => {
      read.push(Buffer.from(memory.subarray(0, count)));
      memory = Buffer.alloc(memory.length + 16);
      return true;
    },
  );
  try {
    socket.connect({ host: '127.0.0.1', port: address.port });
    await once(socket, 'end');
    assert.ok(read.length > 2);
    assert.ok(Buffer.concat(read).equals(sent));
  } finally {
    socket.destroy();
    server.close();
  }
});
