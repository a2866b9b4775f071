import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { SendBuffer } from '../../../src/upstream/send-buffer.ts';
import { UpstreamSocket } from '../../../src/upstream/upstream-socket.ts';

describe('what is sent as one piece', () => {
  test('is the text as Latin-1 and the bytes behind it', () => {
    const sending = new SendBuffer();
    assert.deepEqual(sending.join('é\r\n', Buffer.from([0, 1, 255])), Buffer.from([0xe9, 13, 10, 0, 1, 255]));
    assert.deepEqual(sending.join('', Buffer.from('b')), Buffer.from('b'));
  });

  test('is bounded', () => {
    const sending = new SendBuffer();
    assert.equal(sending.fits('x'.repeat(1024), Buffer.alloc(10_240)), true);
    assert.equal(sending.fits('x', Buffer.alloc(65_536)), false);
  });

  test('is not overwritten once it was given away', () => {
    const sending = new SendBuffer();
    const first = sending.join('first', Buffer.from('!'));
    sending.giveAway();
    sending.join('other', Buffer.from('?'));
    assert.equal(first.toString(), 'first!');
  });

  // What lets the memory be used again at once: a socket that took everything says so before `write` returns.
  test('has left, or is counted as waiting, when the write of a socket returns', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const socket = new UpstreamSocket(
      () => Buffer.alloc(1024),
      () => true,
    );
    socket.connect({ host: '127.0.0.1', port: address.port });
    await once(socket, 'connect');
    const [peer] = await accepted;
    peer.pause();
    try {
      socket.write(Buffer.alloc(10_000));
      assert.equal(socket.writableLength, 0);
      for (let count = 0; socket.writableLength === 0 && count < 10_000; count++) socket.write(Buffer.alloc(30_000));
      assert.ok(socket.writableLength > 0, 'a peer that reads nothing fills the socket');
    } finally {
      socket.destroy();
      peer.destroy();
      server.close();
    }
  });
});
