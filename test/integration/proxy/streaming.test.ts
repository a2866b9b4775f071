import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, describe, test } from 'node:test';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor, waitForTurn } from '../../support/wait-for.ts';

const megabyte = 1024 * 1024;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

/** Bytes in which no two places look alike. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index + 4 <= length; index += 4) bytes.writeUInt32LE((index * 2_654_435_761) >>> 0, index);
  return bytes;
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('a large response', () => {
  const body = pattern(24 * megabyte);
  const framings: Record<string, (body: Buffer) => Uint8Array[]> = {
    'a length': (bytes) => [Buffer.from(`Content-Length: ${bytes.length}\r\n\r\n`), bytes],
    chunks: (bytes) => {
      const pieces: Uint8Array[] = [Buffer.from('Transfer-Encoding: chunked\r\n\r\n')];
      for (let start = 0, size = 1; start < bytes.length; start += size, size = (size * 7) % 65_521) {
        const piece = bytes.subarray(start, start + size);
        pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
      }
      return [...pieces, Buffer.from('0\r\n\r\n')];
    },
    'no framing': (bytes) => [Buffer.from('\r\n'), bytes],
  };
  for (const [name, frame] of Object.entries(framings)) {
    test(`with ${name} reaches a slow client whole, and is read no faster than it takes it`, async () => {
      let left = 0;
      const origin = closing(
        await ScriptedOrigin.start((socket) => {
          socket.write('HTTP/1.1 200 OK\r\n');
          for (const piece of frame(body)) socket.write(piece);
          left = socket.writableLength;
          if (name === 'no framing') socket.end();
          socket.on('drain', () => (left = 0));
        }),
      );
      const exchange = closing(new Proxied([origin.server()])).begin();
      exchange.stall();
      await waitFor(() => exchange.stalled, 'a client that takes nothing');
      await loopRounds();
      assert.ok(left > 0, 'the server is held up while the client takes nothing');
      await waitForTurn(() => {
        exchange.drain(megabyte);
        return exchange.complete || exchange.aborted;
      }, 'the end of the response');
      assert.equal(exchange.aborted, false);
      assert.equal(hash(exchange.responseBody), hash(body));
      assert.ok(Math.max(...exchange.chunkSizes) <= 65_536);
    });
  }
});

describe('a large request', () => {
  for (const chunked of [false, true]) {
    test(`${chunked ? 'in chunks' : 'with a length'} reaches a slow server whole, and the client is slowed down`, async () => {
      const body = pattern(24 * megabyte);
      let received = 0;
      let pauses = 0;
      const digest = createHash('sha256');
      const origin = closing(
        await ScriptedOrigin.start(() => {}, {
          onConnection: (socket) => {
            socket.pause();
            let head = '';
            void waitFor(() => pauses > 0, 'the client to be paused').then(() => socket.resume());
            socket.on('data', (chunk: Buffer) => {
              if (!head.includes('\r\n\r\n')) head += chunk.toString('latin1');
              received += chunk.length;
              digest.update(chunk);
              if (
                chunk.subarray(-5).toString() === '0\r\n\r\n' ||
                (!chunked && received >= head.indexOf('\r\n\r\n') + 4 + body.length)
              ) {
                socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
              }
            });
            return true;
          },
        }),
      );
      const proxied = closing(new Proxied([origin.server()]));
      const exchange = chunked
        ? new FakeExchange({ method: 'PUT', chunked: true })
        : new FakeExchange({ method: 'PUT', body: body.subarray(0, 1) });
      Object.defineProperty(exchange.body, 'declaredLength', { value: chunked ? undefined : body.length });
      exchange.body.hold();
      proxied.handler.handle(exchange.withContext());
      for (let start = chunked ? 0 : 1; start < body.length; start += 100_000) {
        exchange.body.push(body.subarray(start, Math.min(body.length, start + 100_000)));
        if (exchange.body.paused) pauses++;
        await waitFor(() => !exchange.body.paused, 'the server to take more');
      }
      exchange.body.finish();
      await exchange.finished;
      assert.equal(exchange.status, 200);
      assert.ok(pauses > 0, 'the client was paused while the server took nothing');
      assert.ok(received >= body.length);
    });
  }
});
