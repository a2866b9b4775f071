import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { readClientHello } from '../../../src/tls/client-hello.ts';

/** What a client of Node.js begins with. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  return await new Promise((resolve) => {
    const socket = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    const client = connect({ socket, ...options });
    client.on('error', () => undefined);
  });
}

/** The same message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece);
  }
  return Buffer.concat(records);
}

describe('a ClientHello', () => {
  test('tells the name that is asked for and the protocols that are offered, in old versions as in new ones', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const hello = await helloOf({ servername: 'WWW.example.com', maxVersion, ALPNProtocols: ['h2', 'http/1.1'] });
      const told = { serverName: 'WWW.example.com', protocols: ['h2', 'http/1.1'] };
      assert.deepEqual(readClientHello(hello), told);
      // What comes behind it is none of it.
      assert.deepEqual(readClientHello(Buffer.concat([hello, Buffer.from('rest')])), told);
    }
  });

  test('without a name is one all the same', async () => {
    assert.deepEqual(readClientHello(await helloOf({ host: '127.0.0.1' })), { serverName: undefined, protocols: [] });
  });

  test('is not complete before its last byte, however it is cut into records', async () => {
    const hello = await helloOf({ servername: 'example.com' });
    for (const bytes of [hello, inRecords(hello, 1), inRecords(hello, 3), inRecords(hello, 100)]) {
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(readClientHello(bytes.subarray(0, length)), 'incomplete', `${length} of ${bytes.length}`);
      }
      assert.deepEqual(readClientHello(bytes), { serverName: 'example.com', protocols: [] });
    }
  });

  test('is nothing else', () => {
    const none: readonly (readonly number[])[] = [
      [...Buffer.from('GET / HTTP/1.1\r\n')],
      [21, 3, 1, 0, 2, 2, 40],
      [22, 3, 1, 0, 0],
      [22, 3, 1, 0, 4, 2, 0, 0, 0],
      [22, 3, 1, 0, 4, 1, 255, 255, 255],
    ];
    for (const bytes of none) assert.equal(readClientHello(Buffer.from(bytes)), 'none', bytes.join(' '));
  });

  test('has a bound, also in many small records', () => {
    const records = Buffer.alloc(6 * 20_000);
    for (let at = 0; at < records.length; at += 6) records.set([22, 3, 1, 0, 1, 0], at);
    records.set([1], 5);
    records.set([0], 11);
    records.set([255], 17);
    assert.equal(readClientHello(records), 'none');
  });

  test('with lengths that lie, or any byte changed, throws nothing', async () => {
    const hello = await helloOf({ servername: 'example.com' });
    for (let at = 0; at < hello.length; at++) {
      for (const value of [0, 1, 127, 255]) {
        const changed = Buffer.from(hello);
        changed[at] = value;
        const read = readClientHello(changed);
        assert.ok(typeof read === 'string' || typeof read.serverName !== 'number');
      }
    }
  });
});
